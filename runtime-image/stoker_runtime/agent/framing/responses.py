"""The head of an answer."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from stoker_runtime.agent.framing.fields import (
    CLOSE,
    KEEP_ALIVE,
    connection_words,
    content_length,
    is_chunked,
    passed_on,
    read_fields,
    shown,
    values,
)
from stoker_runtime.agent.framing.unreadable import UnreadableError

_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?")


class Extent(Enum):
    """How the end of the body is told."""

    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class ResponseHead:
    status: int
    reason: bytes
    extent: Extent
    length: int  # where the extent is LENGTH
    keep_alive: bool
    content_type: bytes  # in lower case, without parameters
    lines: list[bytes]  # the fields for the client, as they came

    @property
    def is_interim(self) -> bool:
        return self.status < 200

    def to_client(self, extent: Extent, connection: bytes) -> bytes:
        """`connection` is empty where the version of HTTP says enough."""
        lines = [b"HTTP/1.1 %d %b" % (self.status, self.reason), *self.lines]
        if extent is Extent.CHUNKED:
            lines.append(b"Transfer-Encoding: chunked")
        if connection:
            lines.append(b"Connection: " + connection)
        return b"\r\n".join([*lines, b"", b""])


def read_response_head(head: bytes, method: bytes, most_fields: int) -> ResponseHead:
    """`head` ends with its empty line; `method` is that of the request."""
    first, *lines = head[:-4].split(b"\r\n")
    match = _LINE.fullmatch(first)
    if match is None:
        raise UnreadableError(502, f"the engine's status line is not one of HTTP/1.1: {shown(first)}")
    fields = read_fields(lines, most_fields)
    words = connection_words(fields)
    status = int(match[2])
    if status == 101:
        raise UnreadableError(502, "the engine switches to a protocol that nobody asked for")
    chunked, length = is_chunked(fields), content_length(fields)
    if chunked and length is not None:
        raise UnreadableError(502, "the engine's answer has both content-length and transfer-encoding")
    if status < 200 or status == 204:
        fields = [field for field in fields if field[0] != b"content-length"]
    types = values(fields, b"content-type")
    return ResponseHead(
        status=status,
        reason=match[3] or b"",
        extent=_extent(status, method, chunked, length),
        length=length or 0,
        keep_alive=CLOSE not in words and (match[1] == b"1" or KEEP_ALIVE in words),
        content_type=types[0].split(b";")[0].strip().lower() if types else b"",
        lines=passed_on(fields, words),
    )


def _extent(status: int, method: bytes, chunked: bool, length: int | None) -> Extent:
    if method == b"HEAD" or status < 200 or status in {204, 304}:
        return Extent.NONE
    if chunked:
        return Extent.CHUNKED
    if length is not None:
        return Extent.LENGTH
    return Extent.CLOSE
