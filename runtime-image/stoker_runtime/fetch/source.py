"""What every place that holds weights gives: a revision, a list of files, and where their bytes are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class RemoteFile:
    """One file of a revision."""

    path: str  # relative, with /; where it will lie in the published folder
    size_bytes: int | None = None  # None: the source does not say
    sha256: str | None = None  # of the whole content, in hexadecimal; None: the source does not say
    git_blob_sha1: str | None = None  # what a hub says of small files instead
    md5: str | None = None  # what a bucket says where it says nothing better
    key: str = ""  # the source's own name for it, where that is not the path


@dataclass(frozen=True)
class Request:
    """A GET that takes a Range. Headers may hold a token: they are never logged, and never follow a redirect to another
    host."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """An answer that was read whole."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Web(Protocol):
    """The one way out. It refuses unsafe addresses, follows redirects and waits out 429 and 5xx, to an end."""

    def ask(self, request: Request, *, method: str = "GET", most_bytes: int = 64 << 20) -> Reply:
        """A small answer. Raises WeightsError for 401, 403, 404 and when patience ends; 2xx, and 304, come back."""

    def size(self, request: Request) -> int | None:
        """How long the content is, without reading it."""

    def part(self, request: Request, first: int, end: int) -> bytes:
        """Bytes `first` up to, not including, `end`."""


class Source(Protocol):
    """One place. `resolve` turns what moves (a branch, a tag) into what does not (a commit, a digest)."""

    def resolve(self) -> str:
        """The revision now: safe as a part of a file name, at most 80 characters."""

    def files(self, revision: str) -> Sequence[RemoteFile]:
        """All files of the revision, unfiltered."""

    def request(self, revision: str, file: RemoteFile) -> Request:
        """Where the bytes are. Asked anew when an answer says that a signature or a token ran out."""
