"""hf://: a Hugging Face compatible hub, by its three REST calls."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request, Web
from stoker_runtime.fetch.sources.answers import nonsense, read_object, read_objects, size_field, text_field
from stoker_runtime.fetch.sources.listing import check_length

_PUBLIC = "https://huggingface.co"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


class HubSource:
    """One repository. `HF_ENDPOINT` names a mirror, `HF_TOKEN` opens private and gated repositories."""

    def __init__(self, repository: str, revision: str | None, web: Web, environment: Mapping[str, str]) -> None:
        self._repository = repository
        self._wanted = revision or "main"
        self._web = web
        self._endpoint = (environment.get("HF_ENDPOINT") or _PUBLIC).rstrip("/")
        self._token = environment.get("HF_TOKEN", "").strip()

    def resolve(self) -> str:
        url = f"{self._endpoint}/api/models/{self._repository}/revision/{quote(self._wanted, safe='')}"
        what = f"{self._endpoint} for the revision {self._wanted} of {self._repository}"
        try:
            commit = text_field(read_object(self._web.ask(self._asking(url)), what), "sha", what)
        except WeightsError as error:
            raise self._explained(error) from error
        if not _COMMIT.fullmatch(commit):
            raise nonsense(what, f"{commit[:80]!r} where a commit belongs")
        return commit

    def files(self, revision: str) -> Sequence[RemoteFile]:
        url: str | None = f"{self._endpoint}/api/models/{self._repository}/tree/{revision}?recursive=true"
        found: list[RemoteFile] = []
        seen: set[str] = set()
        while url:
            seen.add(url)
            try:
                reply = self._web.ask(self._asking(url))
            except WeightsError as error:
                raise self._explained(error) from error
            what = f"{self._endpoint} for the files of {self._repository}"
            entries = read_objects(reply, what)
            found.extend(_file(entry, what) for entry in entries if entry.get("type") == "file")
            check_length(f"hf://{self._repository}", len(found))
            url = self._next_page(reply.headers.get("link", ""), url)
            if url in seen:
                raise nonsense(what, "a list that goes round in a circle")
        return tuple(found)

    def request(self, revision: str, file: RemoteFile) -> Request:
        return self._asking(f"{self._endpoint}/{self._repository}/resolve/{revision}/{quote(file.path)}")

    def _asking(self, url: str) -> Request:
        return Request(url, {"authorization": f"Bearer {self._token}"} if self._token else {})

    def _next_page(self, link: str, url: str) -> str | None:
        """The token goes with every page: so no page may be at another host. A mirror's own path stays."""
        match = _NEXT.search(link)
        if not match:
            return None
        target = urljoin(url, str(match[1]))
        if target.startswith(f"{self._endpoint}/"):
            return target
        # A mirror often hands on what the hub itself wrote there.
        parts = urlsplit(target)
        return f"{self._endpoint}{parts.path}?{parts.query}"

    def _explained(self, error: WeightsError) -> WeightsError:
        page = f"{self._endpoint}/{self._repository}"
        sentences = {
            Reason.FORBIDDEN: f"the token may not read {self._repository}: accept the licence at {page} with the"
            " account of the token, and let a fine-grained token read gated repositories",
            Reason.UNAUTHORIZED: (
                f"{self._endpoint} refused the token for {self._repository}: put a valid one in HF_TOKEN"
                if self._token
                else f"{self._endpoint} wants a token for {self._repository}, which is private, gated or absent:"
                f" look at {page}, and give a token in HF_TOKEN"
            ),
            Reason.NOT_FOUND: f"{self._endpoint} knows no revision {self._wanted} of {self._repository}"
            f" (found: {error.message}): look at {page}, and give HF_TOKEN if it is private",
        }
        sentence = sentences.get(error.reason)
        return WeightsError(error.reason, sentence) if sentence else error


def _file(entry: Mapping[str, Any], what: str) -> RemoteFile:
    """Large files lie elsewhere, and are named by their sha256; small ones by that of git's own blob."""
    path = text_field(entry, "path", what)
    large = entry.get("lfs")
    if isinstance(large, dict):
        size = size_field(large, "size", what)
        digest = str(large.get("oid") or large.get("sha256") or "").removeprefix("sha256:")
        return RemoteFile(path, size, sha256=_hexadecimal(digest, 64))
    blob = str(entry.get("oid") or "")
    return RemoteFile(path, size_field(entry, "size", what), git_blob_sha1=_hexadecimal(blob, 40))


def _hexadecimal(text: str, digits: int) -> str | None:
    return text if re.fullmatch(rf"[0-9a-f]{{{digits}}}", text) else None
