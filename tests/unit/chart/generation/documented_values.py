"""values.yaml as its readers see it: each value with the comment above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.unit.chart.generation.places import CHART

VALUES = CHART / "values.yaml"
_KEY = re.compile(r"( *)([A-Za-z]+):(?: (.*))?")


@dataclass(frozen=True)
class DocumentedValue:
    path: tuple[str, ...]
    default: Any
    meaning: str


def documented_values(text: str) -> tuple[DocumentedValue, ...]:
    """In the order of the file. A value without a comment, and below none that has one, is refused."""
    defaults = yaml.safe_load(text)
    found: list[DocumentedValue] = []
    for path, meaning in _commented_keys(text):
        default = _at(defaults, path)
        below_another = any(path[: len(value.path)] == value.path for value in found)
        if meaning and not below_another:
            found.append(DocumentedValue(path, default, meaning))
        elif not meaning and not below_another and not _is_section(default):
            raise ValueError(f"values.yaml: {'.'.join(path)} has no comment: write what it does in the lines above it")
    return tuple(found)


def _commented_keys(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    parents: list[str] = []
    comment: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            comment.append(bare.removeprefix("#").strip())
        elif match := _KEY.fullmatch(line):
            depth = len(match[1]) // 2
            parents[depth:] = [match[2]]
            yield tuple(parents), " ".join(comment)
            comment = []
        else:
            comment = []


def _is_section(default: Any) -> bool:
    return isinstance(default, dict) and bool(default)


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values[name]
    return values
