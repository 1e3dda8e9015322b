"""What one inspection is of, as the operator gives it."""

from dataclasses import dataclass
from typing import Self

from stoker_runtime.facts import Format
from stoker_runtime.task_fields import TaskFields


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
        """Raises TaskError."""
        given = TaskFields(text)
        return cls(
            given.text("source"),
            given.texts("include"),
            given.texts("exclude"),
            given.formats(cls.formats),
            given.yes("allowPickle"),
            given.yes("allowCode"),
        )
