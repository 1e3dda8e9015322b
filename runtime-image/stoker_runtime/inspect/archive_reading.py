"""Files inside of archives that are somewhere else: a plain tar says where each of them begins."""

import io
import posixpath
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoker_runtime.inspect.reading import Reading
from stoker_runtime.inspect.unreadable import unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_MOST_MEMBERS = 20_000
_MOST_PART_BYTES = 16 << 20  # no header of a member comes near
_AHEAD_BYTES = 64 << 10  # small files lie close together
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Member:
    """Where a file's bytes are: in a file of the source, from `first` on."""

    archive: str
    first: int
    size_bytes: int


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
    if read.part(archive, 0, 2) == _GZIP:
        raise unreadable(
            archive, "compressed, so that nothing in it can be read before all of it", "push the layer as a plain tar"
        )
    members: dict[str, Member] = {}
    links: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Ranges(read, archive), _AHEAD_BYTES), mode="r:") as tar:
            for number, item in enumerate(tar):
                if number > _MOST_MEMBERS:
                    raise unreadable(archive, f"more than {_MOST_MEMBERS} files", "publish the model without the rest")
                path = posixpath.normpath(item.name)
                if item.isreg():
                    members[path] = Member(archive, item.offset_data, item.size)
                elif item.issym() or item.islnk():
                    folder = posixpath.dirname(path) if item.issym() else ""
                    links[path] = posixpath.normpath(posixpath.join(folder, item.linkname))
    except (tarfile.TarError, ValueError, EOFError, MemoryError, OverflowError) as error:
        raise unreadable(archive, f"no tar that makes sense ({type(error).__name__})") from error
    return members | {path: members[target] for path, target in links.items() if target in members}


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
