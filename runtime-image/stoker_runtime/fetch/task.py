"""What one run is to fetch, as the operator gives it."""

from dataclasses import dataclass
from typing import Self

from stoker_runtime.facts import Format
from stoker_runtime.task_fields import TaskFields


@dataclass(frozen=True)
class Task:
    """One revision of one source for one owner."""

    source: str
    folder: str
    owner: str
    revision: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    formats: frozenset[Format] = frozenset({Format.SAFETENSORS})
    allow_pickle: bool = False
    allow_code: bool = False
    keep: tuple[str, ...] = ()
    total_bytes: int | None = None

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises TaskError."""
        given = TaskFields(text)
        return cls(
            source=given.text("source"),
            folder=given.text("folder"),
            owner=given.text("owner"),
            revision=given.text_or_none("revision"),
            include=given.texts("include"),
            exclude=given.texts("exclude"),
            formats=given.formats(cls.formats),
            allow_pickle=given.yes("allowPickle"),
            allow_code=given.yes("allowCode"),
            keep=given.texts("keep"),
            total_bytes=given.count_or_none("totalBytes"),
        )
