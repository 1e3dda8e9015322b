"""A tar from a stranger, unpacked below a folder and nowhere else."""

import os
import shutil
import tarfile
from pathlib import Path
from typing import BinaryIO, Self

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.sources.compression import (
    DECOMPRESSION_ERRORS,
    FIRST_BYTES,
    compression_of,
    decompressed,
)
from stoker_runtime.fetch.sources.paths import path_problem

_MOST_NAME_BYTES = 1 << 20
_HEADER_BYTES = 512
_CHUNK_BYTES = 1 << 20
_OF_NAMES = frozenset(
    {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
)
_REMOVED = ".wh."  # how a layer says that a file of an earlier one is gone
_ALL_REMOVED = ".wh..wh..opq"


class BoundedHeader(tarfile.TarInfo):
    """Long names and extended headers are read into memory, and every length is the stranger's."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _OF_NAMES and header.size > _MOST_NAME_BYTES:
            raise _unsafe(f"has a header of {header.size:,} bytes")
        return header

    def _block(self, count: int) -> int:
        """Where the next header begins, by tarfile's own name for it. A length below zero would lead back to this one,
        again and again."""
        if count < 0:
            raise _unsafe(f"has a file of {count:,} bytes")
        return -(-count // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def unpack(archive: BinaryIO, into: Path, most_bytes: int, prefix: str = "") -> list[Path]:
    """The files below `prefix`, which is taken off, in the order in which they came. Plain, in gzip or in zstd.

    The folder must be one that is thrown away when this raises.
    """
    folder = into.resolve()
    layer = _Layer(folder, prefix)
    total_bytes = 0
    try:
        how = compression_of(archive.read(FIRST_BYTES))
        archive.seek(0)
        with tarfile.open(fileobj=decompressed(archive, how), mode="r|", tarinfo=BoundedHeader) as tar:
            for member in tar:
                total_bytes += member.size + _HEADER_BYTES
                if member.size < 0 or total_bytes > most_bytes:
                    raise _unsafe(f"holds more than the {most_bytes:,} bytes that it may")
                layer.take(tar, member)
                tar.members.clear()  # type: ignore[attr-defined]
    except (tarfile.TarError, ValueError, LookupError, OverflowError, *DECOMPRESSION_ERRORS) as error:
        raise WeightsError(
            Reason.UNREADABLE,
            f"the archive cannot be read ({error}): push it anew, as a tar that is plain, in gzip or in zstd",
        ) from error
    _check_links(folder)
    return [path for path in layer.written if path.exists()]


class _Layer:
    """One archive on its way into a folder."""

    def __init__(self, folder: Path, prefix: str) -> None:
        self._folder, self._prefix = folder, prefix
        self.written: list[Path] = []

    def take(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        name = self._below(member.name)
        if name is None:
            return
        target = self._folder / name
        self._make_parents(target)
        base = target.name
        if base == _ALL_REMOVED:
            self._clear(target.parent)
        elif base.startswith(_REMOVED):
            self._take_away(target.parent, base.removeprefix(_REMOVED))
        elif member.isdir():
            self._make_folder(target)
        elif member.isreg() and not member.issparse():
            self._write(tar, member, target)
        elif member.issym():
            _make_way(target)
            target.symlink_to(member.linkname)
            self.written.append(target)
        elif member.islnk():
            self._link(member, target)
        else:
            raise _unsafe(f"has {member.name[:120]!r}, which is neither file, folder nor link")

    def _below(self, name: str) -> str | None:
        """None for what lies elsewhere, and for the folder itself."""
        path = name.removeprefix("./").rstrip("/")
        if path in {"", "."}:
            return None
        problem = path_problem(path)
        if problem and (path.startswith((self._prefix, "/")) or ".." in path.split("/")):
            raise _unsafe(f"has the path {name[:120]!r}, which {problem}")
        if not path.startswith(self._prefix):
            return None
        below = path.removeprefix(self._prefix)
        if problem := path_problem(below):
            raise _unsafe(f"has the path {name[:120]!r}, which below {self._prefix!r} {problem}")
        return below

    def _make_parents(self, target: Path) -> None:
        """Never through a link: what lies behind it may have changed since it was looked at."""
        for parent in reversed(target.relative_to(self._folder).parents[:-1]):
            self._make_folder(self._folder / parent)

    def _make_folder(self, path: Path) -> None:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise _unsafe(f"writes below {path.relative_to(self._folder).as_posix()!r}, which is a file or a link")
        path.mkdir(exist_ok=True)

    def _write(self, tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        _make_way(target)
        content = tar.extractfile(member)
        if content is None:
            raise _unsafe(f"has {member.name[:120]!r} without content")
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(content, file, _CHUNK_BYTES)
        self.written.append(target)

    def _link(self, member: tarfile.TarInfo, target: Path) -> None:
        name = self._below(member.linkname)
        origin = self._folder / name if name else None
        if origin is None or origin.is_symlink() or not origin.is_file() or _has_link_above(origin, self._folder):
            raise _unsafe(f"links {member.name[:120]!r} to {member.linkname[:120]!r}, which is no file of its own")
        if origin == target:
            return
        _make_way(target)
        os.link(origin, target)
        self.written.append(target)

    def _take_away(self, folder: Path, name: str) -> None:
        if name in {"", ".", ".."}:
            raise _unsafe("takes a folder away that it lies in")
        _remove(folder / name)

    def _clear(self, folder: Path) -> None:
        """What this layer itself brought stays, in whatever order it comes."""
        kept = {path for written in self.written for path in (written, *written.parents)}
        for path in folder.iterdir():
            if path not in kept:
                _remove(path)


def _make_way(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        raise _unsafe(f"has {target.name!r} as a file and as a folder")
    target.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _has_link_above(path: Path, folder: Path) -> bool:
    return any((folder / parent).is_symlink() for parent in path.relative_to(folder).parents[:-1])


def _check_links(folder: Path) -> None:
    """All of them, at the end: where a link leads depends on the others."""
    for parent, folders, names in os.walk(folder):
        for path in (Path(parent) / name for name in (*folders, *names)):
            if not path.is_symlink():
                continue
            try:
                inside = path.resolve(strict=True).is_relative_to(folder)
            except (OSError, RuntimeError):
                inside = False
            if not inside:
                raise _unsafe(f"has the link {path.name!r}, which leads out of it or nowhere")


def _unsafe(found: str) -> WeightsError:
    return WeightsError(Reason.UNSAFE_SOURCE, f"the archive {found}: push it anew without, or choose another source")
