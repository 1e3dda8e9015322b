"""One answer of HTTP/1.1, as its bytes come, of a size that is bounded."""

import re
from dataclasses import dataclass

from stoker.signals.unreadable import UnreadableError

MOST_HEAD_BYTES = 8_192
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")
_END = b"\r\n\r\n"
_REST = -1  # a body of no known length: until the connection ends
_CHUNKS = -2


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class _Head:
    status: int
    length: int
    keep_alive: bool


class AnswerParser:
    """Of one answer at a time; bytes after its end are left in `surplus`."""

    __slots__ = ("_buffer", "_head", "_most_body_bytes")

    def __init__(self, most_body_bytes: int) -> None:
        self._most_body_bytes = most_body_bytes
        self._buffer = b""
        self._head: _Head | None = None

    @property
    def began(self) -> bool:
        return self._head is not None or bool(self._buffer)

    @property
    def surplus(self) -> bool:
        return bool(self._buffer)

    def feed(self, data: bytes) -> Answer | None:
        """None: go on. Raises UnreadableError."""
        self._buffer = self._buffer + data if self._buffer else data
        while self._head is None:
            end = self._buffer.find(_END, 0, MOST_HEAD_BYTES)
            if end < 0:
                if len(self._buffer) >= MOST_HEAD_BYTES:
                    raise UnreadableError(f"its head has more than {MOST_HEAD_BYTES} bytes")
                return None
            head = _head(self._buffer[:end])
            self._buffer = self._buffer[end + len(_END) :]
            self._head = head if head.status >= 200 else None
        return self._body(self._head)

    def ended(self) -> Answer | None:
        """The connection has ended. None: before the answer did."""
        head = self._head
        if head is None or head.length != _REST:
            return None
        return Answer(head.status, self._buffer, keep_alive=False)

    def _body(self, head: _Head) -> Answer | None:
        if head.length == _CHUNKS:
            return self._chunked(head)
        known = head.length if head.length >= 0 else len(self._buffer)
        if known > self._most_body_bytes:
            raise UnreadableError(f"it has more than {self._most_body_bytes} bytes")
        if head.length == _REST or len(self._buffer) < head.length:
            return None
        return self._finish(head, self._buffer[: head.length], head.length)

    def _chunked(self, head: _Head) -> Answer | None:
        # Taken apart once it can be whole: its last bytes are the end of the last chunk and of what may follow it.
        if len(self._buffer) > 2 * self._most_body_bytes + MOST_HEAD_BYTES:
            raise UnreadableError(f"it has more than {self._most_body_bytes} bytes")
        if not self._buffer.endswith(b"\r\n\r\n"):
            return None
        pieces: list[bytes] = []
        at = size = 0
        while True:
            line_end = self._buffer.find(b"\r\n", at)
            line = _CHUNK_LINE.fullmatch(self._buffer, at, line_end) if line_end >= 0 else None
            if line is None:
                if line_end < 0:
                    return None
                raise UnreadableError("its chunks are torn")
            length = int(line[1], 16)
            start = line_end + 2
            if length == 0:
                end = self._buffer.find(_END, line_end)
                return None if end < 0 else self._finish(head, b"".join(pieces), end + len(_END))
            size += length
            if size > self._most_body_bytes:
                raise UnreadableError(f"it has more than {self._most_body_bytes} bytes")
            at = start + length + 2
            if len(self._buffer) < at:
                return None
            if self._buffer[at - 2 : at] != b"\r\n":
                raise UnreadableError("its chunks are torn")
            pieces.append(self._buffer[start : at - 2])

    def _finish(self, head: _Head, body: bytes, used: int) -> Answer:
        self._buffer = self._buffer[used:]
        self._head = None
        return Answer(head.status, body, head.keep_alive)


def _head(text: bytes) -> _Head:
    lines = text.split(b"\r\n")
    line = _STATUS_LINE.fullmatch(lines[0])
    if line is None:
        raise UnreadableError("it is not HTTP/1.1")
    status, keep_alive = int(line[2]), line[1] == b"1"
    length: int | None = None
    for field in lines[1:]:
        name, colon, value = field.partition(b":")
        if not colon or not name or name != name.strip():
            raise UnreadableError("a line of its head is not NAME: VALUE")
        name, value = name.lower(), value.strip()
        if name == b"content-length":
            if not value.isdigit() or len(value) > 12 or length is not None:
                raise UnreadableError("its length is not given once, by a number")
            length = int(value)
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked" or length is not None:
                raise UnreadableError("its transfer encoding is not known here")
            length = _CHUNKS
        elif name == b"connection":
            keep_alive = keep_alive and value.lower() != b"close"
    if status in (204, 304) or status < 200:
        length = 0
    return _Head(status, _REST if length is None else length, keep_alive and length is not None)
