"""Files to serve, from memory or from a folder."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from tests.servers.serving import Content

_CHUNK_BYTES = 1 << 20


def in_folder(folder: Path) -> Mapping[str, Content]:
    """All files below a folder, by their relative path."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def size_of(content: Content) -> int:
    return content.stat().st_size if isinstance(content, Path) else len(content)


def digest_of(content: Content, algorithm: str = "sha256", opening: bytes = b"") -> str:
    """Hexadecimal, over `opening` and the content. Files are read once, as long as they do not change."""
    if isinstance(content, bytes):
        return hashlib.new(algorithm, opening + content, usedforsecurity=False).hexdigest()
    state = content.stat()
    return _of_file(content, algorithm, opening, state.st_mtime_ns, state.st_size)


def blob_sha1(content: Content) -> str:
    """As git names it."""
    return digest_of(content, "sha1", f"blob {size_of(content)}\0".encode())


def text_of(content: Content) -> bytes:
    return content.read_bytes() if isinstance(content, Path) else content


@lru_cache(maxsize=4096)
def _of_file(path: Path, algorithm: str, opening: bytes, _changed_ns: int, _size_bytes: int) -> str:
    digest = hashlib.new(algorithm, opening, usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
