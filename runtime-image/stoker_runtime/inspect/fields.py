"""Typed access to a configuration, whose families name the same thing in several ways."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stoker_runtime.inspect.unreadable import shown, unreadable

_MOST = 1 << 40  # no count or length in a configuration comes near


@dataclass(frozen=True)
class Fields:
    """A configuration's object. A null is an absent field, as its writers mean it."""

    values: Mapping[str, Any]
    file: str = "config.json"

    def raw(self, *names: str) -> Any:
        """The first of the names that is there."""
        return next((self.values[name] for name in names if self.values.get(name) is not None), None)

    def whole(self, *names: str) -> int | None:
        name = next((name for name in names if self.values.get(name) is not None), None)
        if name is None:
            return None
        value = self.values[name]
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not 0 <= value < _MOST:
            raise self.wrong(name, "a whole number")
        return value

    def required(self, *names: str) -> int:
        value = self.whole(*names)
        if not value:
            raise unreadable(self.file, f"{names[0]} is missing", "publish the model with its whole configuration")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        return default if value is None else bool(value)

    def text(self, *names: str) -> str | None:
        value = self.raw(*names)
        return value if isinstance(value, str) else None

    def texts(self, *names: str) -> tuple[str, ...] | None:
        value = self.raw(*names)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return None
        return tuple(value)

    def wholes(self, name: str) -> tuple[int, ...] | None:
        value = self.raw(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise self.wrong(name, "a list of whole numbers")
        return tuple(value)

    def part(self, *names: str) -> Self | None:
        value = self.raw(*names)
        return type(self)(value, self.file) if isinstance(value, dict) else None

    def completed(self, defaults: Mapping[str, Any]) -> Self:
        """With what the family takes where the file is silent."""
        given = {name: value for name, value in self.values.items() if value is not None}
        return type(self)({**defaults, **given}, self.file)

    def wrong(self, name: str, what: str) -> Exception:
        return unreadable(self.file, f"{name} must be {what}, not {shown(self.values.get(name))}")
