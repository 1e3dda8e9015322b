"""Where the bytes of headers come from: a folder, or a source that answers ranges."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, Self, TypeVar

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request, Source, Web
from stoker_runtime.inspect.unreadable import unreadable

_T = TypeVar("_T")


class Reading(Protocol):
    """The files of one revision. May be asked from several threads."""

    def names(self) -> Sequence[str]:
        """Relative paths, with /."""

    def size(self, name: str) -> int | None:
        """None: nobody knows."""

    def part(self, name: str, first: int, end: int) -> bytes:
        """Bytes `first` up to, not including, `end`: fewer only where the file ends."""


class FolderReading:
    """Files that are here."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    @classmethod
    def of(cls, folder: Path) -> Self:
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        return cls(dict(sorted(found.items())))

    def names(self) -> Sequence[str]:
        return tuple(self._paths)

    def size(self, name: str) -> int | None:
        return self._asked(name, lambda path: path.stat().st_size)

    def part(self, name: str, first: int, end: int) -> bytes:
        def read(path: Path) -> bytes:
            with path.open("rb") as content:
                content.seek(first)
                return content.read(max(end - first, 0))

        return self._asked(name, read)

    def _asked(self, name: str, question: Callable[[Path], _T]) -> _T:
        try:
            return question(self._paths[name])
        except OSError as error:
            raise unreadable(name, error.strerror or "cannot be read", "mend the volume and its rights") from error


class RemoteReading:
    """Files of a source, by ranges alone."""

    def __init__(self, source: Source, web: Web, revision: str, files: Sequence[RemoteFile]) -> None:
        self._source, self._web, self._revision = source, web, revision
        self._files = {file.path: file for file in files}
        self._sizes = {file.path: file.size_bytes for file in files if file.size_bytes is not None}

    def names(self) -> Sequence[str]:
        return tuple(self._files)

    def size(self, name: str) -> int | None:
        if name not in self._sizes:
            found = self._web.size(self._request(name))
            if found is None:
                return None
            self._sizes[name] = found
        return self._sizes[name]

    def part(self, name: str, first: int, end: int) -> bytes:
        known = self.size(name)
        known_end = end if known is None else min(end, known)
        if known_end <= first:
            return b""
        data = self._web.part(self._request(name), first, known_end)
        if len(data) > known_end - first or (known is not None and len(data) < known_end - first):
            raise WeightsError(
                Reason.UNREACHABLE,
                f"{name}: {len(data)} bytes came of the {known_end - first} from byte {first} on: the source or a "
                "proxy before it answers ranges wrongly, the next try may go better",
            )
        return data

    def _request(self, name: str) -> Request:
        """Made anew each time, so that no signature grows old."""
        return self._source.request(self._revision, self._files[name])
