"""Requests and answers of the control port: HTTP/1.1 with small bodies of a known length, and nothing more."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from urllib.parse import parse_qsl

MOST_HEAD_BYTES = 8_192
MOST_BODY_BYTES = 16_384
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.([01])")
_SECRET = re.compile(rb"(?i)\r\n(authorization|x-stoker-prestop|cookie)[ \t]*:")
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
        close = "" if keep_alive else "connection: close\r\n"
        more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        head = (
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\ncontent-type: {self.content_type}\r\n"
            f"content-length: {len(self.body)}\r\n{more}{close}\r\n"
        )
        return head.encode("latin-1") + self.body


def parsed(head: bytes) -> Request:
    """Raises UnreadableError. `head` is all before the empty line: of each who asks for what is known it is the same
    every time. What has a secret in it is not kept."""
    return _parsed(head) if _SECRET.search(head) else _parsed_once(head)


def _parsed(head: bytes) -> Request:
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


_parsed_once = lru_cache(maxsize=64)(_parsed)


def _body_bytes(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise UnreadableError(411, "Bodies come with Content-Length here.")
    length = headers.get("content-length", "0")
    if not re.fullmatch(r"[0-9]{1,9}", length):
        raise UnreadableError(400, "Content-Length is no number.")
    if int(length) > MOST_BODY_BYTES:
        raise UnreadableError(413, f"A body here has at most {MOST_BODY_BYTES} bytes.")
    return int(length)
