"""https://: one file, or a folder with a list of its files and their digests."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Reply, Request, Web
from stoker_runtime.fetch.sources.digests import sha256_of
from stoker_runtime.fetch.sources.listing import check_length, check_unchanged, fingerprint

LIST = "SHA256SUMS"
_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64})[ \t]+\*?(?:\./)?(?P<path>.+)")
_NO_SUCH = frozenset({Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.UNAUTHORIZED})


@dataclass(frozen=True)
class Address:
    """What the user wrote, in parts."""

    host: str
    path: str
    query: str | None = None
    sha256: str | None = None

    @property
    def url(self) -> str:
        return f"https://{self.host}/{self.path}{f'?{self.query}' if self.query else ''}"

    @property
    def shown(self) -> str:
        """Without the query, which may hold a signature."""
        return f"https://{self.host}/{self.path}"


class WebsiteSource:
    """One file. Its digest is the user's, or in a file of the same name with .sha256 beside it, or not known."""

    def __init__(self, address: Address, web: Web) -> None:
        self._address, self._web = address, web
        self._found: tuple[str, RemoteFile] | None = None

    def resolve(self) -> str:
        self._found = self._look()
        return self._found[0]

    def files(self, revision: str) -> Sequence[RemoteFile]:
        found, file = self._found or self._look()
        check_unchanged(self._address.shown, revision, found)
        return (file,)

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - there is one file
        return Request(self._address.url)

    def _look(self) -> tuple[str, RemoteFile]:
        address = self._address
        name = unquote(address.path.rpartition("/")[2])
        size = self._web.size(Request(address.url))
        digest = address.sha256 or self._beside()
        if digest:
            return fingerprint([(name, digest)]), RemoteFile(name, size, sha256=digest)
        head = self._head()
        signs = (head.get("etag"), head.get("last-modified"), size)
        if not any(signs):
            raise WeightsError(
                Reason.UNSAFE_SOURCE,
                f"{address.shown} has neither a size nor an ETag nor a date, so a change could not be seen: add"
                " #sha256=DIGEST to the source",
            )
        return fingerprint([(name, *signs)]), RemoteFile(name, size)

    def _head(self) -> Mapping[str, str]:
        """An address that is signed for GET refuses a HEAD, and some servers know none."""
        try:
            return self._web.ask(Request(self._address.url), method="HEAD").headers
        except WeightsError:
            return {}

    def _beside(self) -> str | None:
        """Servers that answer anything with their front page have no digest there."""
        if self._address.query:
            return None
        reply = _if_there(self._web, f"{self._address.url}.sha256")
        words = reply.body[:200].decode("ascii", "replace").split() if reply else []
        return sha256_of(words[0]) if words else None


class FolderSource:
    """A folder with a SHA256SUMS. The user's own digest is that of this list, and so fixes all files."""

    def __init__(self, address: Address, web: Web) -> None:
        self._address, self._web = address, web
        self._found: tuple[RemoteFile, ...] | None = None

    def resolve(self) -> str:
        self._found = self._read()
        return _revision_of(self._found)

    def files(self, revision: str) -> Sequence[RemoteFile]:
        files = self._found or self._read()
        check_unchanged(self._address.shown, revision, _revision_of(files))
        return files

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - the digests fix the revision
        return Request(self._url_of(file.path))

    def _url_of(self, path: str) -> str:
        query = self._address.query
        return f"{self._address.shown}{quote(path)}{f'?{query}' if query else ''}"

    def _read(self) -> tuple[RemoteFile, ...]:
        shown, url = self._address.shown, self._url_of(LIST)
        reply = _if_there(self._web, url)
        files = _listed(reply.body.decode("utf-8", "replace"), shown) if reply else ()
        if not files or not reply:
            raise WeightsError(
                Reason.NOT_FOUND,
                f"{shown} is a folder, and a web server does not say what is in it: put a file {LIST} there, as"
                f" `find . -type f ! -name {LIST} | xargs sha256sum > {LIST}` writes it, or name one file",
            )
        digest = hashlib.sha256(reply.body).hexdigest()
        if self._address.sha256 and digest != self._address.sha256:
            raise WeightsError(
                Reason.DIGEST_MISMATCH,
                f"{shown}{LIST} has the digest {digest}, and the source says #sha256={self._address.sha256}: one of"
                " them was changed, compare them",
            )
        return files


def _revision_of(files: Sequence[RemoteFile]) -> str:
    return fingerprint((file.path, file.sha256) for file in files)


def _listed(text: str, shown: str) -> tuple[RemoteFile, ...]:
    """Empty for anything that is not such a list to its last line: half a list is none."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    check_length(shown, len(lines))
    matches = [_LINE.fullmatch(line) for line in lines]
    return tuple(RemoteFile(match["path"], sha256=match["digest"].lower()) for match in matches if match) * all(matches)


def _if_there(web: Web, url: str) -> Reply | None:
    try:
        return web.ask(Request(url), most_bytes=8 << 20)
    except WeightsError as error:
        if error.reason in _NO_SUCH:
            return None
        raise
