"""What is to be fetched, and what was found when a job looked at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker_runtime.facts import Facts, Format

Json = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """A source and which of its files are wanted, in the words in which the jobs take it."""

    source: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    formats: tuple[str, ...]
    allow_pickle: bool
    allow_code: bool

    @classmethod
    def of(cls, spec: Spec, formats: Iterable[Format]) -> Self:
        files, trusted = spec.model.files, spec.model.trust_remote_code
        return cls(
            str(spec.model.source),
            tuple(sorted(files.include)),
            tuple(sorted(files.exclude)),
            tuple(sorted(formats)),
            trusted,
            trusted,
        )

    def to_json(self) -> Json:
        return {
            "source": self.source,
            "include": list(self.include),
            "exclude": list(self.exclude),
            "formats": list(self.formats),
            "allowPickle": self.allow_pickle,
            "allowCode": self.allow_code,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            value["source"],
            tuple(value["include"]),
            tuple(value["exclude"]),
            tuple(value["formats"]),
            value["allowPickle"],
            value["allowCode"],
        )


@dataclass(frozen=True)
class Found:
    """One revision of a source: which it is, under which name it is published, how large it is, what model it is."""

    request: Request
    revision: str
    folder: str
    total_bytes: int
    facts: Facts | None
    files: tuple[str, ...] | None = None  # that an engine takes by name, below the model's folder; None: nobody said

    def to_json(self) -> Json:
        return {
            "request": self.request.to_json(),
            "revision": self.revision,
            "folder": self.folder,
            "totalBytes": self.total_bytes,
            "facts": self.facts.to_json() if self.facts else None,
        } | ({"files": list(self.files)} if self.files is not None else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(
            Request.from_json(value["request"]),
            value["revision"],
            value["folder"],
            value["totalBytes"],
            Facts.from_json(value["facts"]) if value["facts"] else None,
            tuple(value["files"]) if "files" in value else None,
        )
