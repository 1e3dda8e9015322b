"""Where a body ends, and which of its bytes are content."""

import re
from typing import Protocol

from stoker_runtime.agent.framing.fields import passed_on_trailers, read_fields, shown
from stoker_runtime.agent.framing.unreadable import UnreadableError

Span = tuple[int, int]  # from, to

# An extension is allowed and never passed on; a line end in it must not end the line for anyone else.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
# What every engine writes: no extension. Twice as fast, for a chunk that came whole.
_PLAIN_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_LONGEST_SIZE_LINE = 1024
_MOST_TRAILERS = 32
_LONGEST_TRAILERS = 8 * 1024
_LINE_END = b"\r\n"


class BodyReader(Protocol):
    ended: bool
    trailers: list[bytes]

    def read(self, data: bytes, start: int, spans: list[Span]) -> int:
        """Put the content into `spans`, and say up to where `data` belongs to the body."""


class LengthReader:
    """A body that says its length beforehand."""

    __slots__ = ("_missing", "ended", "trailers")

    def __init__(self, length: int) -> None:
        self._missing = length
        self.ended = length == 0
        self.trailers: list[bytes] = []

    def read(self, data: bytes, start: int, spans: list[Span]) -> int:
        end = min(len(data), start + self._missing)
        if end > start:
            spans.append((start, end))
            self._missing -= end - start
        self.ended = self._missing == 0
        return end


class CloseReader:
    """A body that ends with its connection."""

    __slots__ = ("ended", "trailers")

    def __init__(self) -> None:
        self.ended = False
        self.trailers: list[bytes] = []

    def read(self, data: bytes, start: int, spans: list[Span]) -> int:
        if len(data) > start:
            spans.append((start, len(data)))
        return len(data)


class ChunkReader:
    """A body in chunks, with trailers behind it."""

    __slots__ = ("_behind", "_line", "_missing", "_trailing", "ended", "trailers")

    def __init__(self) -> None:
        self._missing = 0  # of the content of the chunk
        self._behind = 0  # of the line end behind it
        self._line = b""  # of a size or of trailers, so far
        self._trailing = False
        self.ended = False
        self.trailers: list[bytes] = []

    def read(self, data: bytes, start: int, spans: list[Span]) -> int:
        position, last = start, len(data)
        while position < last and not self.ended:
            if self._missing:
                end = min(last, position + self._missing)
                spans.append((position, end))
                self._missing -= end - position
                position = end
            elif self._behind:
                position = self._read_line_end(data, position)
            elif self._trailing:
                position = self._read_trailers(data, position)
            else:
                position = self._read_whole(data, position, spans) or self._read_size(data, position)
        return position

    def _read_whole(self, data: bytes, position: int, spans: list[Span]) -> int:
        """Zero where that is no chunk of one piece, or its size needs a closer look."""
        match = None if self._line else _PLAIN_SIZE_LINE.match(data, position)
        if match is None:
            return 0
        begin = match.end()
        end = begin + int(match[1], 16)
        if begin == end or not data.startswith(_LINE_END, end):
            return 0
        spans.append((begin, end))
        return end + 2

    def _read_line_end(self, data: bytes, position: int) -> int:
        wanted = _LINE_END[-self._behind :]
        found = data[position : position + self._behind]
        if not wanted.startswith(found):
            raise UnreadableError(400, "a chunk of the body is longer than it says")
        self._behind -= len(found)
        return position + len(found)

    def _read_size(self, data: bytes, position: int) -> int:
        end = data.find(b"\n", position, position + _LONGEST_SIZE_LINE)
        line = self._line + data[position : end + 1 if end >= 0 else position + _LONGEST_SIZE_LINE]
        if len(line) >= _LONGEST_SIZE_LINE:
            raise UnreadableError(400, f"the size of a chunk takes more than {_LONGEST_SIZE_LINE} bytes")
        if end < 0:
            self._line = line
            return len(data)
        self._line = b""
        match = _SIZE_LINE.fullmatch(line, 0, len(line) - 2)
        if match is None or not line.endswith(_LINE_END):
            raise UnreadableError(400, f"a chunk of the body has no size: {shown(line)}")
        self._missing = int(match[1], 16)
        if self._missing:
            self._behind = 2
        else:
            self._trailing = True
            self._line = _LINE_END  # so that no trailers and some end alike
        return end + 1

    def _read_trailers(self, data: bytes, position: int) -> int:
        before = len(self._line)
        text = self._line + data[position : position + _LONGEST_TRAILERS]
        found = text.find(b"\r\n\r\n", max(0, before - 3))
        if found < 0:
            if len(text) > _LONGEST_TRAILERS:
                raise UnreadableError(431, f"the trailers are larger than {_LONGEST_TRAILERS} bytes")
            self._line = text
            return len(data)
        lines = text[2:found].split(_LINE_END) if found else []
        self.trailers = passed_on_trailers(read_fields(lines, _MOST_TRAILERS))
        self._line = b""
        self.ended = True
        return position + found + 4 - before


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def last_chunk(trailers: list[bytes]) -> bytes:
    return b"\r\n".join([b"0", *trailers, b"", b""])
