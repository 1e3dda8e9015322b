"""What one inspection is of, as the operator gives it in STOKER_TASK."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stoker_runtime.facts import Format

VARIABLE = "STOKER_TASK"


class TaskError(Exception):
    """The task cannot be read: the sentence says which field."""


@dataclass(frozen=True)
class InspectTask:
    source: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    formats: frozenset[Format] = frozenset({Format.SAFETENSORS})
    allow_pickle: bool = False
    allow_code: bool = False

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            given = json.loads(text)
        except ValueError as error:
            raise TaskError(f"{VARIABLE} is no JSON: {error}") from None
        if not isinstance(given, dict):
            raise TaskError(f"{VARIABLE} must be an object, not {type(given).__name__}")
        source = given.get("source")
        if not isinstance(source, str) or not source:
            raise TaskError(f"{VARIABLE}: source must name a model, not {source!r}")
        names = _texts(given, "formats", ["safetensors"])
        unknown = sorted(set(names) - {str(known) for known in Format})
        if unknown:
            raise TaskError(f"{VARIABLE}: formats names {unknown[0]!r}: choose of {', '.join(Format)}")
        return cls(
            source,
            _texts(given, "include", []),
            _texts(given, "exclude", []),
            frozenset(map(Format, names)),
            _flag(given, "allowPickle"),
            _flag(given, "allowCode"),
        )


def _texts(given: Mapping[str, Any], field: str, default: list[str]) -> tuple[str, ...]:
    value = default if given.get(field) is None else given[field]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TaskError(f"{VARIABLE}: {field} must be a list of texts, not {value!r}")
    return tuple(value)


def _flag(given: Mapping[str, Any], field: str) -> bool:
    value = given.get(field, False)
    if not isinstance(value, bool):
        raise TaskError(f"{VARIABLE}: {field} must be true or false, not {value!r}")
    return value
