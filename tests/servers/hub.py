"""A hub: repositories with branches and commits, large files on another host, gates and tokens."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.servers.contents import blob_sha1, digest_of, size_of
from tests.servers.serving import Answer, Asked, Content, json_answer

_LARGE = (".safetensors", ".gguf", ".bin", ".pt")
_PAGE = 1000


@dataclass
class _Repository:
    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Content]] = field(default_factory=dict)
    private: bool = False
    gated: bool = False


class Hub:
    """`cdn_url` is where large files are; without one they come from the hub itself."""

    def __init__(self, cdn_url: str | None = None, page_size: int = _PAGE) -> None:
        self.cdn_url, self.page_size = cdn_url, page_size
        self.link_origin: str | None = None  # what the next page's address starts with, where it is another
        self.accounts: dict[str, set[str]] = {}  # token → repositories that its account may read
        self._repositories: dict[str, _Repository] = {}

    def push(
        self,
        name: str,
        files: Mapping[str, Content],
        *,
        branch: str = "main",
        private: bool = False,
        gated: bool = False,
    ) -> str:
        """A new commit on a branch."""
        repository = self._repositories.setdefault(name, _Repository())
        repository.private, repository.gated = private, gated
        told = json.dumps([name, branch, sorted((path, digest_of(content)) for path, content in files.items())])
        commit = hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()
        repository.branches[branch] = commit
        repository.commits[commit] = dict(files)
        return commit

    def answer(self, asked: Asked) -> Answer:
        parts = asked.path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            return self._api(parts[2:], asked)
        return self._resolve(parts, asked)

    def _api(self, parts: list[str], asked: Asked) -> Answer:
        verbs = [number for number, part in enumerate(parts) if part in {"revision", "tree"}]
        if not verbs:
            return _no("RepoNotFound", 404)
        name, verb, revision = "/".join(parts[: verbs[0]]), parts[verbs[0]], "/".join(parts[verbs[0] + 1 :])
        found = self._found(name, revision, asked, gate=False)
        if isinstance(found, Answer):
            return found
        commit, files = found
        if verb == "revision":
            return json_answer({"id": name, "sha": commit, "siblings": [{"rfilename": path} for path in files]})
        return self._tree(files, asked)

    def _tree(self, files: Mapping[str, Content], asked: Asked) -> Answer:
        entries = [_entry(path, content) for path, content in sorted(files.items())]
        folders = sorted({path.rpartition("/")[0] for path in files} - {""})
        entries += [{"type": "directory", "path": folder, "oid": "0" * 40, "size": 0} for folder in folders]
        first = int(asked.query.get("cursor", "0"))
        end = first + self.page_size
        headers = {}
        if end < len(entries):
            origin = self.link_origin or asked.origin
            headers["Link"] = f'<{origin}{asked.raw_path}?recursive=true&cursor={end}>; rel="next"'
        return json_answer(entries[first:end], headers=headers)

    def _resolve(self, parts: list[str], asked: Asked) -> Answer:
        if "resolve" not in parts:
            return _no("RepoNotFound", 404)
        at = parts.index("resolve")
        name, revision, path = "/".join(parts[:at]), parts[at + 1], "/".join(parts[at + 2 :])
        found = self._found(name, revision, asked, gate=True)
        if isinstance(found, Answer):
            return found
        commit, files = found
        if path not in files:
            return _no("EntryNotFound", 404)
        if _is_large(path) and self.cdn_url:
            return Answer(302, headers={"Location": f"{self.cdn_url}/{quote(digest_of(files[path]))}?signature=secret"})
        headers = {"ETag": f'"{blob_sha1(files[path])}"', "X-Repo-Commit": commit}
        return Answer(200, files[path], headers, ranges=True)

    def _found(self, name: str, revision: str, asked: Asked, gate: bool) -> Answer | tuple[str, dict[str, Content]]:
        repository = self._repositories.get(name)
        refusal = self._refusal(name, repository, asked, gate)
        if refusal or repository is None:
            return refusal or _no("RepoNotFound", 404)
        commit = repository.branches.get(revision, revision)
        files = repository.commits.get(commit)
        return _no("RevisionNotFound", 404) if files is None else (commit, files)

    def _refusal(self, name: str, repository: _Repository | None, asked: Asked, gate: bool) -> Answer | None:
        """Who is not told apart from the world gets 401 also for what does not exist, as at the real one."""
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self.accounts:
            return _no("InvalidToken", 401)
        readable = name in self.accounts.get(token, set())
        if repository is None or (repository.private and not readable):
            return _no("RepoNotFound", 404 if token else 401)
        if repository.gated and gate and not readable:
            return _no("GatedRepo", 403 if token else 401)
        return None


class Cdn:
    """Where large files are, by digest. It refuses tokens: they were not meant for it."""

    def __init__(self, contents: Mapping[str, Content]) -> None:
        self._contents = {digest_of(content): content for content in contents.values()}
        self.tokens_seen = 0

    def answer(self, asked: Asked) -> Answer:
        if "authorization" in asked.headers:
            self.tokens_seen += 1
            return Answer(400, b"only one way to sign in\n")
        if asked.query.get("signature") != "secret":
            return Answer(403, b"the signature ran out\n")
        content = self._contents.get(asked.path.lstrip("/"))
        return Answer(404) if content is None else Answer(200, content, ranges=True)


def _entry(path: str, content: Content) -> dict[str, object]:
    entry: dict[str, object] = {"type": "file", "path": path, "oid": blob_sha1(content), "size": size_of(content)}
    if _is_large(path):
        entry["lfs"] = {"oid": digest_of(content), "size": size_of(content), "pointerSize": 135}
    return entry


def _is_large(path: str) -> bool:
    return path.endswith(_LARGE)


def _no(code: str, status: int) -> Answer:
    return json_answer({"error": code}, status, {"X-Error-Code": code})
