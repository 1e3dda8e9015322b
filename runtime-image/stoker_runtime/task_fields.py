"""The fields of what a Job is told to do: whatever is wrong is told with its name and what was found."""

import json
from collections.abc import Mapping
from typing import Any

from stoker_runtime.facts import Format

VARIABLE = "STOKER_TASK"


class TaskError(Exception):
    """The task cannot be read: the sentence says which field."""


class TaskFields:
    def __init__(self, text: str) -> None:
        """Raises TaskError, as all that is read from it does."""
        try:
            given = json.loads(text)
        except ValueError as error:
            raise TaskError(f"{VARIABLE} is no JSON: {error}") from None
        if not isinstance(given, dict):
            raise TaskError(f"{VARIABLE} is a {type(given).__name__}: it must be an object")
        self._given: Mapping[str, Any] = given

    def text(self, field: str) -> str:
        value = self._given.get(field)
        if not isinstance(value, str) or not value:
            raise _wrong(field, value, "a text that is not empty")
        return value

    def text_or_none(self, field: str) -> str | None:
        return None if self._given.get(field) is None else self.text(field)

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._given.get(field)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise _wrong(field, value, "a list of texts")
        return tuple(value)

    def formats(self, default: frozenset[Format]) -> frozenset[Format]:
        if self._given.get("formats") is None:
            return default
        names = self.texts("formats")
        unknown = sorted(set(names) - set(Format))
        if unknown:
            raise TaskError(f"{VARIABLE}: formats has {unknown[0]!r}: it must be one of {', '.join(Format)}")
        return frozenset(map(Format, names))

    def yes(self, field: str) -> bool:
        value = self._given.get(field, False)
        if not isinstance(value, bool):
            raise _wrong(field, value, "true or false")
        return value

    def count_or_none(self, field: str) -> int | None:
        value = self._given.get(field)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            raise _wrong(field, value, "a number that is not negative")
        return value


def _wrong(field: str, found: object, must_be: str) -> TaskError:
    return TaskError(f"{VARIABLE}: {field} is {found!r}: it must be {must_be}")
