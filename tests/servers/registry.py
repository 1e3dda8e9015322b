"""An OCI registry with a token server of its own; it also serves models as Ollama's registry does."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.servers.contents import digest_of, size_of
from tests.servers.serving import Answer, Asked, Content, json_answer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(frozen=True)
class Pushed:
    """One layer to push."""

    content: Content
    media_type: str
    annotations: Mapping[str, str] | None = None


class Registry:
    """Open, or with one account: `token` lets pull with what its token server gives, `basic` with the password."""

    def __init__(self, account: tuple[str, str] | None = None, kind: str = "token") -> None:
        self._account, self._kind = account, kind
        self.store_url: str | None = None  # where blobs are redirected to
        self.expires_in: int | None = 300
        self.tokens_given = 0
        self.token_is_valid = True
        self._manifests: dict[tuple[str, str], bytes] = {}
        self._blobs: dict[str, Content] = {}

    def push(
        self,
        repository: str,
        tag: str,
        layers: Sequence[Pushed],
        config_type: str = "application/vnd.oci.empty.v1+json",
    ) -> str:
        """The digest of the manifest."""
        descriptors = [self._layer(layer) for layer in layers]
        config = self._layer(Pushed(b"{}", config_type))
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": descriptors}
        return self.push_manifest(repository, tag, manifest)

    def push_index(self, repository: str, tag: str, entries: Sequence[tuple[str, Mapping[str, str] | None]]) -> str:
        """Of digests and their platforms."""
        manifests = [
            {"mediaType": MANIFEST, "digest": digest, "size": 1, **({"platform": platform} if platform else {})}
            for digest, platform in entries
        ]
        return self.push_manifest(repository, tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})

    def push_manifest(self, repository: str, tag: str, manifest: Mapping[str, Any]) -> str:
        body = json.dumps(manifest).encode()
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        self._manifests[repository, tag] = self._manifests[repository, digest] = body
        return digest

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            return self._token(asked)
        parts = asked.path.strip("/").split("/")
        if len(parts) < 4 or parts[0] != "v2":
            return json_answer({}, 200 if parts == ["v2"] else 404)
        repository, kind, reference = "/".join(parts[1:-2]), parts[-2], parts[-1]
        if not self._is_allowed(asked):
            return self._challenge(asked, repository)
        return self._manifest(repository, reference) if kind == "manifests" else self._blob(reference)

    def _manifest(self, repository: str, reference: str) -> Answer:
        body = self._manifests.get((repository, reference))
        if body is None:
            return json_answer({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        kind = str(json.loads(body).get("mediaType", MANIFEST))
        return Answer(200, body, {"Content-Type": kind, "Docker-Content-Digest": digest})

    def _blob(self, digest: str) -> Answer:
        content = self._blobs.get(digest)
        if content is None:
            return json_answer({"errors": [{"code": "BLOB_UNKNOWN"}]}, 404)
        if self.store_url:
            sha256 = digest.removeprefix("sha256:")
            return Answer(307, headers={"Location": f"{self.store_url}/{sha256}?signature=secret"})
        return Answer(200, content, {"Docker-Content-Digest": digest}, ranges=True)

    def _layer(self, layer: Pushed) -> dict[str, object]:
        digest = f"sha256:{digest_of(layer.content)}"
        self._blobs[digest] = layer.content
        told: dict[str, object] = {"mediaType": layer.media_type, "digest": digest, "size": size_of(layer.content)}
        return told | ({"annotations": dict(layer.annotations)} if layer.annotations else {})

    def _is_allowed(self, asked: Asked) -> bool:
        if self._account is None:
            return True
        given = asked.headers.get("authorization")
        if self._kind == "basic":
            return given == self._basic()
        return self.token_is_valid and self.tokens_given > 0 and given == f"Bearer token-{self.tokens_given}"

    def _challenge(self, asked: Asked, repository: str) -> Answer:
        scope = f"repository:{repository}:pull"
        bearer = f'Bearer realm="{asked.origin}/token",service="test registry",scope="{scope}"'
        header = 'Basic realm="test"' if self._kind == "basic" else bearer
        return json_answer({"errors": [{"code": "UNAUTHORIZED"}]}, 401, {"WWW-Authenticate": header})

    def _token(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != self._basic() or not asked.query.get("scope"):
            return json_answer({"errors": [{"code": "UNAUTHORIZED"}]}, 401)
        self.tokens_given += 1
        told: dict[str, object] = {"token": f"token-{self.tokens_given}"}
        return json_answer(told | ({"expires_in": self.expires_in} if self.expires_in is not None else {}))

    def _basic(self) -> str:
        return f"Basic {b64encode(':'.join(self._account or ('', '')).encode()).decode()}"
