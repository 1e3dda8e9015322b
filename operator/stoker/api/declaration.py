"""The vocabulary in which the API is declared: what a field may hold, what it costs to change, and what must be true.

One declaration serves the CRD that the API server enforces, the parser for files and live objects, the reference
documentation and the revision hash. So a `Rule` says the same thing twice, in CEL for the server and in Python for the
command line, with one sentence for both; the integration tests hold the two against each other.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

_PLACEHOLDER = re.compile(r"\{([a-zA-Z_.]+)\}")


class Effect(StrEnum):
    """What happens to running replicas when a field is edited. A field without one has its parent's."""

    LIVE = "live"  # takes effect at once, no pod restarts
    REVISION = "new revision"  # part of the revision: replicas are exchanged by a rollout
    FIXED = "fixed"  # refused by the API server once the object exists


@dataclass(frozen=True)
class Unit:
    """The unit of a number whose name does not carry one."""

    name: str


@dataclass(frozen=True)
class Format:
    """An OpenAPI format that the API server checks in a string."""

    name: str


@dataclass(frozen=True)
class ListKind:
    """How the API server merges a list: whole ("atomic"), as a set, or as a map by the given fields."""

    kind: str
    keys: tuple[str, ...] = ()


ATOMIC = ListKind("atomic")
SET = ListKind("set")


def map_by(*keys: str) -> ListKind:
    return ListKind("map", keys)


@dataclass(frozen=True)
class Shown:
    """A value that a rule's sentence quotes, as CEL and as Python read it."""

    cel: str
    read: Callable[[Any], object]


@dataclass(frozen=True)
class Rule:
    """Something that must be true of a value. `{self.a.b}` in the sentence quotes the field a.b, `{x}` quotes
    shows["x"]."""

    cel: str
    holds: Callable[[Any], bool]
    says: str
    at: str = ""  # the field to blame, as a path below the value that the rule is on
    shows: Mapping[str, Shown] = field(default_factory=dict, hash=False)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In `Annotated[str, Rule(...)]` the rule is part of the type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: Any) -> Any:
        if not self.holds(value):
            raise ValueError(self.sentence(value))
        return value

    def sentence(self, value: object) -> str:
        """The sentence with the values that Python found."""

        def quote(match: re.Match[str]) -> str:
            name = match.group(1)
            found = self.shows[name].read(value) if name in self.shows else _follow(value, name)
            return str(found)

        return _PLACEHOLDER.sub(quote, self.says)

    def message_expression(self) -> str | None:
        """The sentence as a CEL expression, or None where it quotes nothing.

        format() and not `+ string(x)`: the server takes the size of string(x) for unbounded, and refuses its cost.
        """
        names = _PLACEHOLDER.findall(self.says)
        if not names:
            return None
        values = ", ".join(self.shows[name].cel if name in self.shows else name for name in names)
        return f'"{_PLACEHOLDER.sub("%s", self.says)}".format([{values}])'


def matching(pattern: str, says: str) -> Rule:
    """The rule that a text matches a pattern as a whole. A sentence serves a user better than the pattern would."""
    return Rule(
        cel=f"self.matches(r'^(?:{pattern})$')",
        holds=lambda text: re.fullmatch(pattern, text) is not None,
        says=says,
    )


@dataclass(frozen=True)
class TransitionRule:
    """Something that must stay true over an edit. Only the API server has both sides, so there is no Python half."""

    cel: str
    says: str
    at: str = ""


class ApiModel(BaseModel):
    """A part of an API object: immutable, camelCase outside, snake_case inside, nothing unknown unless asked to
    tolerate it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        arbitrary_types_allowed=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()
    transition_rules: ClassVar[tuple[TransitionRule, ...]] = ()
    # Optional fields that must never be unset together, and never stand together.
    exactly_one_of: ClassVar[tuple[str, ...]] = ()

    def to_manifest(self) -> dict[str, Any]:
        """The object as a user would write it: without what was never set, with every default that the API server
        writes."""
        manifest: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        _drop_empty(self, manifest)
        return manifest


def _drop_empty(model: ApiModel, manifest: dict[str, Any]) -> None:
    """Removes what is empty by default. What is empty by choice, such as one side of a union, stays."""
    for name, info in type(model).model_fields.items():
        alias, value = info.alias or name, getattr(model, name)
        if isinstance(value, ApiModel):
            _drop_empty(value, manifest[alias])
        elif isinstance(value, tuple) and value and isinstance(value[0], ApiModel):
            for item, written in zip(value, manifest[alias], strict=True):
                _drop_empty(item, written)
        if info.default is not None and manifest.get(alias) in ([], {}):
            del manifest[alias]


def _follow(value: object, path: str) -> object:
    for name in path.removeprefix("self").removeprefix(".").split("."):
        if name:
            value = getattr(value, _snake(name))
    return value


def _snake(camel: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda match: "_" + match.group(1).lower(), camel)


def parts_below(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """The value and everything inside it, each with its path as a manifest spells it."""
    yield path, value
    if isinstance(value, ApiModel):
        for name, info in type(value).model_fields.items():
            alias = info.alias or name
            yield from parts_below(getattr(value, name), f"{path}.{alias}" if path else alias)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from parts_below(item, f"{path}[{index}]")
