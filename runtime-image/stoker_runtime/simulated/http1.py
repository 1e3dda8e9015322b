"""HTTP/1.1 requests out of bytes, as they come. No I/O.

Not a general server's: a web framework here would double the memory of a replica and take five times as long to start.
"""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_LONGEST_HEAD = 64 * 1024
_LONGEST_BODY = 64 * 1024 * 1024
_LONGEST_CHUNK_LINE = 1024
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class UnreadableError(Exception):
    """What follows on the connection cannot be told apart any more, so it has to end."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]  # by lower-case name
    body: bytes
    keep_alive: bool
    takes_chunks: bool  # HTTP/1.0 clients do not


class RequestReader:
    """`feed` what arrives, then take requests with `next` until it returns None."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, str, dict[str, str]] | None = None
        self._body = bytearray()
        self._missing: int | None = None  # bytes of the body, or None where it comes in chunks
        self.wants_continue = False

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def next(self) -> Request | None:
        if self._head is None and not self._read_head():
            return None
        if not (self._read_chunks() if self._missing is None else self._read_body(self._missing)):
            return None
        return self._request()

    def _read_head(self) -> bool:
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
        if end < 0:
            if len(self._buffer) >= _LONGEST_HEAD:
                raise UnreadableError(431, "the request's head is too large")
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        words = first.split(" ")
        if len(words) != 3 or words[2] not in {"HTTP/1.1", "HTTP/1.0"}:
            raise UnreadableError(400, "the request line is not one of HTTP/1.1")
        headers = _headers(lines)
        self._head = (words[0], words[1], words[2], headers)
        self._missing = _length(headers)
        self.wants_continue = self._missing != 0 and headers.get("expect", "").lower() == "100-continue"
        return True

    def _read_body(self, length: int) -> bool:
        if len(self._buffer) < length:
            return False
        self._body += self._buffer[:length]
        del self._buffer[:length]
        return True

    def _read_chunks(self) -> bool:
        while (end := self._buffer.find(b"\r\n", 0, _LONGEST_CHUNK_LINE)) >= 0:
            digits = bytes(self._buffer[:end]).split(b";")[0].strip()
            if not digits or len(digits) > 8 or digits.strip(b"0123456789abcdefABCDEF"):
                raise UnreadableError(400, "a chunk of the body has no length")
            size = int(digits, 16)
            if len(self._body) + size > _LONGEST_BODY:
                raise UnreadableError(413, "the request's body is too large")
            if size == 0:
                return self._read_trailers(end + 2)
            if len(self._buffer) < end + 2 + size + 2:
                return False
            self._body += self._buffer[end + 2 : end + 2 + size]
            if self._buffer[end + 2 + size : end + 4 + size] != b"\r\n":
                raise UnreadableError(400, "a chunk of the body is longer than it says")
            del self._buffer[: end + 4 + size]
        if len(self._buffer) >= _LONGEST_CHUNK_LINE:
            raise UnreadableError(400, "a chunk of the body has no length")
        return False

    def _read_trailers(self, start: int) -> bool:
        if self._buffer.startswith(b"\r\n", start):
            del self._buffer[: start + 2]
            return True
        end = self._buffer.find(b"\r\n\r\n", start)
        if end < 0:
            if len(self._buffer) >= _LONGEST_HEAD:
                raise UnreadableError(431, "the request's trailers are too large")
            return False
        del self._buffer[: end + 4]
        return True

    def _request(self) -> Request:
        if self._head is None:
            raise RuntimeError("a body without a head")
        method, target, version, headers = self._head
        try:
            parts = urlsplit(target)
        except ValueError as error:
            raise UnreadableError(400, "the request's target is not one") from error
        connection = {word.strip() for word in headers.get("connection", "").lower().split(",")}
        new = version == "HTTP/1.1"
        keep_alive = "close" not in connection and (new or "keep-alive" in connection)
        request = Request(method, unquote(parts.path), parts.query, headers, bytes(self._body), keep_alive, new)
        self._head = None
        self._body = bytearray()
        self.wants_continue = False
        return request


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or not _TOKEN.issuperset(name.encode("latin-1")):
            raise UnreadableError(400, "a header has no name")
        key = name.lower()
        value = value.strip(" \t")
        if key in headers and key in {"content-length", "transfer-encoding", "host"}:
            raise UnreadableError(400, f"the header {key} is there twice")
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _length(headers: dict[str, str]) -> int | None:
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise UnreadableError(400, "the length of the request's body is not clear")
        return None
    if length is None:
        return 0
    if not length.isascii() or not length.isdigit():
        raise UnreadableError(400, "content-length is not a number")
    if len(length) > 12 or int(length) > _LONGEST_BODY:
        raise UnreadableError(413, "the request's body is too large")
    return int(length)
