"""Requests and answers of the control port: HTTP/1.1 with small bodies of a known length, and nothing more."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

MOST_HEAD_BYTES = 8_192
MOST_BODY_BYTES = 16_384
_MOST_KNOWN = 64
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_SECRETS = frozenset({"authorization", "x-stoker-prestop", "cookie"})
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*")


class UnreadableError(Exception):
    """What cannot be understood is refused with this status, and ends the connection."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    keep_alive: bool
    body_bytes: int


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def to_bytes(self, *, keep_alive: bool) -> bytes:
        more = tuple(self.headers.items())
        return _head(self.status, self.content_type, len(self.body), more, keep_alive=keep_alive) + self.body


@lru_cache(maxsize=256)
def _head(status: int, content_type: str, length: int, more: tuple[tuple[str, str], ...], *, keep_alive: bool) -> bytes:
    """Answers differ in their bodies, and in little else."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"content-type: {content_type}"]
    lines += [f"content-length: {length}", *(f"{name}: {value}" for name, value in more)]
    if not keep_alive:
        lines.append("connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class KnownRequests:
    """Whole requests as they came: of each who asks on and on it is the same every time. None with a secret or a body
    in it is kept."""

    def __init__(self) -> None:
        self._requests: dict[bytes, Request] = {}

    def get(self, data: bytes) -> Request | None:
        return self._requests.get(data)

    def keep(self, data: bytes, request: Request) -> None:
        if not request.body_bytes and _SECRETS.isdisjoint(request.headers):
            if len(self._requests) >= _MOST_KNOWN:
                self._requests.clear()
            self._requests[data] = request


def parsed(head: bytes) -> Request:
    """Raises UnreadableError. `head` is all before the empty line."""
    line, *lines = head.decode("latin-1").split("\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise UnreadableError(400, "The request line is not METHOD /PATH HTTP/1.1.")
    method, target, minor = match.groups()
    headers: dict[str, str] = {}
    for text in lines:
        pair = _FIELD.fullmatch(text)
        if pair is None:
            raise UnreadableError(400, "A header line is not NAME: VALUE.")
        name = pair[1].lower()
        if name in headers and name in {"content-length", "authorization", "x-stoker-prestop"}:
            raise UnreadableError(400, f"The header {name} came twice.")
        headers[name] = pair[2]
    path, _, query = target.partition("?")
    connection = headers.get("connection", "").lower()
    keep_alive = connection != "close" if minor == "1" else connection == "keep-alive"
    return Request(method, path, dict(parse_qsl(query)), headers, keep_alive, _body_bytes(headers))


def _body_bytes(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise UnreadableError(411, "Bodies come with Content-Length here.")
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,9}", length):
        raise UnreadableError(400, "Content-Length is no number.")
    if int(length) > MOST_BODY_BYTES:
        raise UnreadableError(413, f"A body here has at most {MOST_BODY_BYTES} bytes.")
    return int(length)
