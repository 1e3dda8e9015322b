"""One pool of connections to the API server, speaking plain JSON.

The generated client turns every object into typed models, which costs about twenty times what decoding the JSON costs,
and a fleet has thousands of pods. So only its credentials are used: kubeconfig, in-cluster tokens and their renewal.
"""

import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Self

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import Configuration

from stoker.kube.list_page import take_items

REQUEST_TIMEOUT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS = 5.0
MOST_CONNECTIONS = 64
PAGE_SIZE = 500

_NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

Json = dict[str, Any]
Query = Mapping[str, str]
# Told the verb of each request, the status of its answer (None: there was none), and how long it took.
Told = Callable[[str, int | None, float], None]


class ApiError(Exception):
    """The API server answered, and the answer is no."""

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        retry_after_seconds: float | None = None,
        causes: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        self.causes = causes  # the kinds of the causes in the answer's details, such as FieldManagerConflict

    @property
    def gone(self) -> bool:
        """The resource version is older than what the server still knows."""
        return self.status == 410 or self.reason == "Expired"

    @property
    def passing(self) -> bool:
        """Whether asking again later may be answered."""
        return self.status == 429 or self.status >= 500


class ApiUnreachableError(Exception):
    """Nobody answered, or not to the end. What was asked for may or may not have happened."""


class Connection:
    """The API server, as far as one set of credentials can see it."""

    def __init__(
        self, credentials: Configuration, session: aiohttp.ClientSession, told: Told = lambda *_: None
    ) -> None:
        self._credentials = credentials
        self._session = session
        self._told = told

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        credentials: Configuration,
        *,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        told: Told = lambda *_: None,
    ) -> AsyncIterator[Self]:
        connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, ssl=_ssl_context(credentials))
        timeout = aiohttp.ClientTimeout(
            total=request_timeout_seconds, sock_connect=min(CONNECT_TIMEOUT_SECONDS, request_timeout_seconds)
        )
        # To press and to unpack the LISTs of a large fleet costs both sides more than the way between them.
        plain = {"Accept-Encoding": "identity"}
        async with aiohttp.ClientSession(
            credentials.host,
            connector=connector,
            timeout=timeout,
            proxy=credentials.proxy,
            trust_env=False,
            headers=plain,
        ) as session:
            yield cls(credentials, session, told)

    # Each of these returns the decoded answer, or raises ApiError where the server refuses and ApiUnreachableError
    # where nobody answers in time.

    async def get(self, path: str, query: Query | None = None) -> Json:
        return await self._ask("GET", path, query)

    async def post(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Json:
        return await self._ask("POST", path, query, body)

    async def put(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Json:
        return await self._ask("PUT", path, query, body)

    async def merge_patch(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Json:
        return await self._ask("PATCH", path, query, body, "application/merge-patch+json")

    async def server_side_apply(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Json:
        # JSON is YAML; before Kubernetes 1.32 or so the server knows no other name for the content.
        return await self._ask("PATCH", path, query, body, "application/apply-patch+yaml")

    async def delete(self, path: str, body: Mapping[str, Any], query: Query | None = None) -> Json:
        """The body holds the DeleteOptions: preconditions, propagation, grace."""
        return await self._ask("DELETE", path, query, body)

    async def _ask(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Json:
        headers = await self._headers()
        data = None
        if body is None:
            headers["Accept"] = content_type
        else:
            headers["Content-Type"] = content_type
            data = _as_go_writes_it(body)
        return _decoded(await self._raw(method, path, query, data, headers), f"{method} {path}")

    async def _raw(
        self, method: str, path: str, query: Query | None, data: bytes | None, headers: dict[str, str]
    ) -> bytes:
        began, status = monotonic(), None
        try:
            async with self._session.request(method, path, params=query, headers=headers, data=data) as response:
                raw = await response.read()
                status = response.status
                if response.status >= 400:
                    raise _error_from(response.status, response.headers, raw)
                return raw
        except (aiohttp.ClientError, TimeoutError) as failed:
            raise _unreachable(f"{method} {path}", failed) from failed
        finally:
            self._told(method, status, monotonic() - began)

    async def text(self, path: str) -> str:
        """An answer that is no JSON, such as the API server's metrics."""
        return (await self._raw("GET", path, None, None, await self._headers())).decode(errors="replace")

    async def list(self, path: str, query: Query | None = None) -> AsyncIterator[Json]:
        """Every object of a collection, once all are there."""
        found: deque[Json] = deque()
        await self.each(path, found.append, query)
        while found:
            yield found.popleft()

    async def each(self, path: str, take: Callable[[Json], object], query: Query | None = None) -> str:
        """Hands on every object of a collection, page by page, and returns the list's resource version. One consistent
        picture: a page token that expires ends it with an ApiError."""
        asked = dict(query or {}) | {"limit": str(PAGE_SIZE)}
        while True:
            raw = await self._raw("GET", path, asked, None, await self._headers())
            try:
                metadata = take_items(raw, take)["metadata"]
            except ValueError as broken:
                raise ApiUnreachableError(f"GET {path}: the answer is not a list in JSON: {broken}") from broken
            if not metadata.get("continue"):
                return str(metadata["resourceVersion"])
            asked["continue"] = metadata["continue"]

    async def versions(self, path: str) -> tuple[dict[tuple[str, str], int], int]:
        """Namespace, name and resource version of everything in a collection, and the list's own version."""
        found: dict[tuple[str, str], int] = {}
        query = {"limit": "1000"}
        while True:
            page = await self._ask("GET", path, query, content_type=_NAMES_ONLY)
            for item in page["items"]:
                metadata = item["metadata"]
                found[metadata.get("namespace", ""), metadata["name"]] = int(metadata["resourceVersion"])
            if not page["metadata"].get("continue"):
                return found, int(page["metadata"]["resourceVersion"])
            query["continue"] = page["metadata"]["continue"]

    @asynccontextmanager
    async def stream(self, path: str, query: Query, silent_seconds: float) -> AsyncIterator[AsyncIterator[Json]]:
        """The events of a watch, until the server ends it. A stream without a byte for too long counts as broken."""
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_SECONDS, sock_read=silent_seconds)
        began, status = monotonic(), None
        try:
            async with self._session.get(
                path, params=query, headers=await self._headers(), timeout=timeout
            ) as response:
                status = response.status
                self._told("WATCH", status, monotonic() - began)
                if response.status >= 400:
                    raise _error_from(response.status, response.headers, await response.read())
                try:
                    yield _lines(response.content, f"WATCH {path}")
                finally:
                    # Saying goodbye in TLS waits for an answer, which a half-open connection never gives.
                    if response.connection and response.connection.transport:
                        response.connection.transport.abort()
        except (aiohttp.ClientError, TimeoutError) as failed:
            if status is None:
                self._told("WATCH", None, monotonic() - began)
            raise _unreachable(f"WATCH {path}", failed) from failed

    async def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        # Renews an in-cluster token or the output of a credential plugin when it is about to end.
        token = (await self._credentials.auth_settings()).get("BearerToken")
        if token and token["value"]:
            headers["Authorization"] = token["value"]
        return headers


async def credentials_from(kubeconfig: Path | None, context: str | None = None) -> Configuration:
    """From a kubeconfig where one is named, else from the pod that this runs in."""
    credentials = Configuration()
    if kubeconfig is None:
        config.load_incluster_config(client_configuration=credentials)  # type: ignore[no-untyped-call]
    else:
        await config.load_kube_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), context=context, client_configuration=credentials
        )
    return credentials


def _ssl_context(credentials: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=credentials.ssl_ca_cert, cadata=credentials.ca_cert_data)
    if credentials.cert_file:
        context.load_cert_chain(credentials.cert_file, credentials.key_file)
    if not credentials.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _lines(content: aiohttp.StreamReader, what: str) -> AsyncIterator[Json]:
    """One decoded object a line. Lines may be far longer than the reader's own limit for a line."""
    parts: list[bytes] = []
    async for chunk in content.iter_any():
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            whole = b"".join((*parts, line))
            parts.clear()
            if whole:
                yield _decoded(whole, what)
        parts.append(rest)


def _as_go_writes_it(body: Mapping[str, Any]) -> bytes:
    """The data of a ControllerRevision may not change by a byte, and any patch, such as one of the garbage collector,
    makes the API server write it anew: with sorted keys, no spaces, and these characters escaped."""
    text = json.dumps(body, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


def _unreachable(what: str, failed: Exception) -> ApiUnreachableError:
    # A time-out has no text of its own.
    return ApiUnreachableError(f"{what}: {str(failed) or type(failed).__name__}")


def _decoded(raw: bytes, what: str) -> Json:
    try:
        value = json.loads(raw)
    except ValueError as broken:
        raise ApiUnreachableError(f"{what}: the answer is not JSON: {raw[:80]!r}") from broken
    if not isinstance(value, dict):
        raise ApiUnreachableError(f"{what}: the answer is no JSON object: {raw[:80]!r}")
    return value


def _error_from(status: int, headers: Mapping[str, str], raw: bytes) -> ApiError:
    try:
        body = json.loads(raw)
        reason, message = str(body["reason"]), str(body["message"])
        causes = tuple(str(cause.get("reason")) for cause in (body.get("details") or {}).get("causes") or ())
    except (ValueError, KeyError, TypeError, AttributeError):
        reason, message, causes = "Unknown", raw[:200].decode(errors="replace"), ()
    return ApiError(status, reason, message, _seconds(headers.get("Retry-After")), causes)


def _seconds(header: str | None) -> float | None:
    try:
        return float(header) if header is not None else None
    except ValueError:
        return None
