"""What a published folder says of itself: `manifest.json`, the last thing written before it is published."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from stoker_runtime.fetch.urls import shown

NAME = "manifest.json"
_VERSION = 1


@dataclass(frozen=True)
class ManifestFile:
    """One file; the sha256 is of the bytes on the disk."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A published folder."""

    source: str  # without anything secret
    revision: str
    files: tuple[ManifestFile, ...]
    published_at: str

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    def to_json(self) -> dict[str, Any]:
        return {
            "version": _VERSION,
            "source": self.source,
            "revision": self.revision,
            "publishedAt": self.published_at,
            "totalBytes": self.total_bytes,
            "files": [asdict(file) for file in self.files],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        if value["version"] != _VERSION:
            raise ValueError("version")
        files = tuple(ManifestFile(**file) for file in value["files"])
        return cls(value["source"], value["revision"], files, value["publishedAt"])


def read_manifest(folder: Path) -> Manifest | None:
    """None: Stoker did not publish this folder."""
    try:
        return Manifest.from_json(json.loads((folder / NAME).read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    path = folder / f"{NAME}.new"
    path.write_text(json.dumps(manifest.to_json(), indent=1) + "\n")
    path.replace(folder / NAME)


def damage(folder: Path, manifest: Manifest, by_digest: bool = False) -> str | None:
    """What is wrong with a published folder, by sizes or by the bytes themselves; None: nothing."""
    for file in manifest.files:
        path = folder / file.path
        try:
            size_bytes = path.lstat().st_size
        except OSError:
            return f"{file.path} is missing"
        if size_bytes != file.size_bytes:
            return f"{file.path} has {size_bytes} bytes, {file.size_bytes} were published"
        if by_digest and sha256_of(path) != file.sha256:
            return f"{file.path} has other bytes than were published"
    return None


def sha256_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def without_secrets(source: str) -> str:
    """A signed address holds its signature in its query."""
    return shown(source)
