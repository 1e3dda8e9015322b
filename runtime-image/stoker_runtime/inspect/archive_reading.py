"""Files inside of archives that are somewhere else: a plain tar says where each of them begins.

A compressed one has to be read from its beginning to its end, once more than the fetch reads it; of each file in it the
head is kept, which is all that inspection asks for."""

import io
import posixpath
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoker_runtime.fetch.sources.archive import BoundedHeader
from stoker_runtime.fetch.sources.compression import (
    DECOMPRESSION_ERRORS,
    FIRST_BYTES,
    Compression,
    compression_of,
    decompressed,
    most_unpacked_bytes,
)
from stoker_runtime.inspect.reading import Reading
from stoker_runtime.inspect.unreadable import unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST_MEMBERS = 20_000
_MOST_PART_BYTES = 16 << 20  # no header of a member comes near
_AHEAD_BYTES = 64 << 10  # small files lie close together
_STREAMED_AT_ONCE_BYTES = 4 << 20
_MOST_HEADS_BYTES = 256 << 20  # of all files of a compressed archive
# Tokenizers stand in the head of a GGUF and take up to 20 MB.
_HEAD_BYTES = {".gguf": 32 << 20, ".json": 8 << 20}
_OTHER_HEAD_BYTES = 4096
_ASKED_FOR_BYTES = 256 << 10  # of a safetensors file, before anybody knows how long its header is
_PLAIN = "push the layer as a plain tar"


@dataclass(frozen=True)
class Member:
    """Where a file's bytes are: in a file of the source, from `first` on; or, where that is compressed, its head."""

    archive: str
    first: int
    size_bytes: int
    head: bytes | None = None


class ArchiveReading:
    """Members as if they were files."""

    def __init__(self, read: Reading, members: Mapping[str, Member]) -> None:
        self._read, self._members = read, members

    def names(self) -> Sequence[str]:
        return tuple(self._members)

    def size(self, name: str) -> int | None:
        return self._members[name].size_bytes

    def part(self, name: str, first: int, end: int) -> bytes:
        member = self._members[name]
        end = min(end, member.size_bytes)
        if member.head is not None:
            if end > max(len(member.head), first):
                raise unreadable(name, f"a head of more than {len(member.head)} bytes in a compressed layer", _PLAIN)
            return member.head[first:end]
        return self._read.part(member.archive, member.first + first, member.first + end) if first < end else b""


def archive_members(read: Reading, prefixes: Mapping[str, str]) -> dict[str, Member]:
    """`prefixes` names the archives, in their order, and what is taken off the paths in each: other paths are left out.

    What a later archive holds stands before what an earlier one holds, and files beside them stay as they are.
    """
    found = {name: Member(name, 0, read.size(name) or 0) for name in read.names() if name not in prefixes}
    for archive, prefix in prefixes.items():
        for path, member in _listed(read, archive).items():
            if path.startswith(prefix) and path != prefix:
                found[path.removeprefix(prefix)] = member
        if len(found) > _MOST_MEMBERS:
            raise unreadable(archive, f"more than {_MOST_MEMBERS} files", "publish the model without the rest")
    return found


def _listed(read: Reading, archive: str) -> dict[str, Member]:
    how = compression_of(read.part(archive, 0, FIRST_BYTES))
    if how is not Compression.NONE:
        return _listed_compressed(read, archive, how)
    found = _Found(archive)
    try:
        stream = io.BufferedReader(_Ranges(read, archive), _AHEAD_BYTES)
        with tarfile.open(fileobj=stream, mode="r:", tarinfo=BoundedHeader) as tar:
            for item in tar:
                found.take(item, None)
    except (tarfile.TarError, ValueError, LookupError, EOFError, MemoryError, OverflowError) as error:
        raise unreadable(archive, f"no tar that makes sense ({type(error).__name__})") from error
    return found.members()


def _listed_compressed(read: Reading, archive: str, how: Compression) -> dict[str, Member]:
    found = _Found(archive)
    left_bytes, heads_bytes = most_unpacked_bytes(read.size(archive) or 0), 0
    stream = io.BufferedReader(_Ranges(read, archive), _STREAMED_AT_ONCE_BYTES)
    try:
        with tarfile.open(fileobj=decompressed(stream, how), mode="r|", tarinfo=BoundedHeader) as tar:
            for item in tar:
                left_bytes -= item.size + tarfile.BLOCKSIZE
                if item.size < 0 or left_bytes < 0:
                    raise unreadable(archive, "more in it than weights could be packed into it", _PLAIN)
                head = _head(tar, item) if item.isreg() else None
                heads_bytes += len(head or b"")
                if heads_bytes > _MOST_HEADS_BYTES:
                    raise unreadable(archive, f"more than {_MOST_HEADS_BYTES >> 20} MiB of heads", _PLAIN)
                found.take(item, head)
                tar.members.clear()  # type: ignore[attr-defined]
    except (tarfile.TarError, ValueError, LookupError, MemoryError, OverflowError, *DECOMPRESSION_ERRORS) as error:
        raise unreadable(archive, f"no compressed tar that makes sense ({type(error).__name__})") from error
    return found.members()


def _head(tar: tarfile.TarFile, item: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(item)
    if content is None:
        return b""
    ending = posixpath.splitext(item.name)[1].lower()
    if ending != ".safetensors":
        return content.read(_HEAD_BYTES.get(ending, _OTHER_HEAD_BYTES))
    length = content.read(8)
    header_bytes = min(int.from_bytes(length, "little"), _MOST_HEADS_BYTES)
    return length + content.read(max(header_bytes, _ASKED_FOR_BYTES))


class _Found:
    """The files of one archive."""

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._members: dict[str, Member] = {}
        self._links: dict[str, str] = {}

    def take(self, item: tarfile.TarInfo, head: bytes | None) -> None:
        if len(self._members) + len(self._links) > _MOST_MEMBERS:
            raise unreadable(self._archive, f"more than {_MOST_MEMBERS} files", "publish the model without the rest")
        path = posixpath.normpath(item.name)
        if item.isreg():
            self._members[path] = Member(self._archive, item.offset_data, item.size, head)
        elif item.issym() or item.islnk():
            folder = posixpath.dirname(path) if item.issym() else ""
            self._links[path] = posixpath.normpath(posixpath.join(folder, item.linkname))

    def members(self) -> dict[str, Member]:
        followed = {path: self._members[target] for path, target in self._links.items() if target in self._members}
        return self._members | followed


class _Ranges(io.RawIOBase):
    """A file of the source to seek in. It answers no more at once than a header may take."""

    def __init__(self, read: Reading, name: str) -> None:
        self._read, self._name, self._position = read, name, 0
        self._size = read.size(name) or 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(start + offset, 0)
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        if len(view) > _MOST_PART_BYTES:
            raise unreadable(self._name, f"a header of {len(view)} bytes at byte {self._position}")
        data = self._read.part(self._name, self._position, min(self._position + len(view), self._size))
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
