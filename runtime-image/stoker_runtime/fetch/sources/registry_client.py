"""A registry's API: manifests and blobs, with the tokens that it wants for them."""

import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.answers import Refused
from stoker_runtime.fetch.source import Reply, Request, Web
from stoker_runtime.fetch.sources.answers import nonsense, read_object, size_field

_ACCEPTED = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json,"
    " application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
)
_DOCKER_HUB = "docker.io"
_CHALLENGE_FIELD = re.compile(r'([a-z]+)\s*=\s*"([^"]*)"', re.IGNORECASE)
_MOST_MANIFEST_BYTES = 4 << 20  # what registries promise to take
_TOKEN_SECONDS = 60  # what the protocol says where the server does not
_EARLY_SECONDS = 10


@dataclass(frozen=True)
class Manifest:
    """One, with the digest of its bytes."""

    digest: str
    content: Mapping[str, Any]


class RegistryClient:
    """One repository of one registry."""

    def __init__(
        self,
        registry: str,
        repository: str,
        web: Web,
        environment: Mapping[str, str],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = f"{registry}/{repository}"
        self._web, self._clock = web, clock
        plain = {host.strip() for host in environment.get("STOKER_PLAIN_HTTP_HOSTS", "").split(",")}
        self._scheme = "http" if registry in plain else "https"
        host = "registry-1.docker.io" if registry == _DOCKER_HUB else registry
        self._base = f"{self._scheme}://{host}/v2/{repository}"
        self._scope = f"repository:{repository}:pull"
        self._basic = basic_of(registry, environment)
        self._authorization = ""
        self._ends_at = 0.0

    def manifest(self, reference: str) -> Manifest:
        """By tag or digest. The digest is that of the bytes, whatever the server says."""
        request = Request(f"{self._base}/manifests/{reference}", {"accept": _ACCEPTED})
        reply = self._ask(request, reference)
        digest = f"sha256:{hashlib.sha256(reply.body).hexdigest()}"
        said = reference if reference.startswith("sha256:") else reply.headers.get("docker-content-digest", digest)
        if said.startswith("sha256:") and said != digest:
            raise WeightsError(
                Reason.DIGEST_MISMATCH,
                f"the manifest {reference} of {self.place} should be {said} and is {digest}: ask anew, or look at what"
                " stands between",
            )
        return Manifest(digest, read_object(reply, f"the manifest {reference} of {self.place}"))

    def blob(self, digest: str) -> Request:
        """With a token that still holds. A registry mostly redirects to a store that wants none."""
        url = f"{self._base}/blobs/{digest}"
        if self._authorization and self._clock() >= self._ends_at:
            self._authorization = ""
            # Without a token it provokes the challenge of which a new one comes.
            self._ask(Request(url), digest, method="HEAD")
        return Request(url, self._headers())

    def _headers(self) -> dict[str, str]:
        return {"authorization": self._authorization} if self._authorization else {}

    def _ask(self, request: Request, reference: str, method: str = "GET") -> Reply:
        try:
            return self._once(request, method)
        except Refused as refused:
            challenge = refused.headers.get("www-authenticate", "")
            if refused.status != 401 or not challenge:
                raise self._explained(refused, reference) from refused
        self._answer(challenge)
        try:
            return self._once(request, method)
        except WeightsError as error:
            raise self._explained(error, reference) from error

    def _once(self, request: Request, method: str) -> Reply:
        headers = {**request.headers, **self._headers()}
        return self._web.ask(Request(request.url, headers), method=method, most_bytes=_MOST_MANIFEST_BYTES)

    def _answer(self, challenge: str) -> None:
        kind, _, rest = challenge.strip().partition(" ")
        if kind.lower() == "basic":
            self._authorization, self._ends_at = self._basic, float("inf")
            return
        fields = {name.lower(): value for name, value in _CHALLENGE_FIELD.findall(rest)}
        realm = urljoin(f"{self._base}/", fields.get("realm", ""))
        if kind.lower() != "bearer" or not fields.get("realm"):
            raise nonsense(self.place, f"the challenge {kind[:20]!r}, which is neither Basic nor Bearer")
        if urlsplit(realm).scheme not in {"https", self._scheme}:
            raise WeightsError(
                Reason.UNSAFE_SOURCE,
                f"{self.place} wants its token from {realm}, which is not https: mend the registry",
            )
        asked = {"scope": fields.get("scope") or self._scope}
        asked |= {"service": fields["service"]} if "service" in fields else {}
        separator = "&" if urlsplit(realm).query else "?"
        headers = {"authorization": self._basic} if self._basic else {}
        what = f"the token server of {self.place}"
        try:
            token = read_object(self._web.ask(Request(f"{realm}{separator}{urlencode(asked)}", headers)), what)
        except WeightsError as error:
            raise self._explained(error, "token") from error
        value = token.get("token") or token.get("access_token")
        if not isinstance(value, str):
            raise nonsense(what, "no token")
        seconds = size_field(token, "expires_in", what) or _TOKEN_SECONDS
        self._authorization = f"Bearer {value}"
        self._ends_at = self._clock() + max(seconds - _EARLY_SECONDS, 1)

    def _explained(self, error: WeightsError, reference: str) -> WeightsError:
        given = "with what the pull secret gives" if self._basic else "without a pull secret for this registry"
        sentences = {
            Reason.UNAUTHORIZED: f"{self.place} was asked {given} and refused: put a config.json with `auths` for it"
            " into the Secret",
            Reason.FORBIDDEN: f"{self.place} was asked {given} and may not be pulled so: allow its account to pull",
            Reason.NOT_FOUND: f"{self.place} has no {reference}: look at its tags",
        }
        sentence = sentences.get(error.reason)
        return WeightsError(error.reason, f"{sentence} ({error.message})") if sentence else error


def basic_of(registry: str, environment: Mapping[str, str]) -> str:
    """The Authorization of a docker config.json; empty where it has none for the registry."""
    folder = environment.get("DOCKER_CONFIG")
    if not folder:
        return ""
    # A Secret of type kubernetes.io/dockerconfigjson names its one key so.
    paths = [Path(folder) / name for name in ("config.json", ".dockerconfigjson")]
    try:
        path = next((path for path in paths if path.exists()), paths[0])
        auths = json.loads(path.read_bytes()).get("auths", {})
        entries = {_host_of(name): entry for name, entry in auths.items() if isinstance(entry, dict)}
        entry = entries.get(registry) or (entries.get("index.docker.io") if registry == _DOCKER_HUB else None) or {}
        text = str(entry.get("auth") or "")
        if not text and entry.get("username"):
            text = base64.b64encode(f"{entry['username']}:{entry.get('password', '')}".encode()).decode()
        base64.b64decode(text, validate=True)
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, AttributeError, binascii.Error):
        # The error itself would quote the secret.
        raise WeightsError(
            Reason.UNAUTHORIZED,
            "the pull secret's config.json cannot be read: make it with `kubectl create secret docker-registry`",
        ) from None
    return f"Basic {text}" if text else ""


def _host_of(name: str) -> str:
    """Older files name addresses and not hosts."""
    return name.removeprefix("https://").removeprefix("http://").partition("/")[0]
