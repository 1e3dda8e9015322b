"""Which part of an answer a request asks for, as RFC 9110 has it. No I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Offered(Protocol):
    """What an application offers."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def ranges(self) -> bool: ...


@dataclass(frozen=True)
class Span:
    """Bytes `first` up to, not including, `end`, and the head that goes with them."""

    status: int
    first: int
    end: int
    headers: Mapping[str, str] = field(default_factory=dict)


def span_of(offered: Offered, size: int, asked: Mapping[str, str]) -> Span:
    """`asked` has its names in lower case."""
    whole = Span(offered.status, 0, size, {"Content-Length": str(size)})
    if offered.status != 200:
        return whole
    etag = offered.headers.get("ETag", "")
    wanted = asked.get("if-match")
    if wanted and wanted != "*" and etag not in (one.strip() for one in wanted.split(",")):
        return Span(412, 0, 0, {"Content-Length": "0"})
    if not offered.ranges:
        return whole
    whole = Span(200, 0, size, {"Content-Length": str(size), "Accept-Ranges": "bytes"})
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.get("range", "").strip())
    if not match or not (match[1] or match[2]) or asked.get("if-range", etag) != etag:
        return whole
    first = int(match[1]) if match[1] else max(0, size - int(match[2]))
    end = min(size, int(match[2]) + 1) if match[1] and match[2] else size
    if first >= end:
        return Span(416, 0, 0, {"Content-Range": f"bytes */{size}", "Content-Length": "0"})
    headers = {"Content-Range": f"bytes {first}-{end - 1}/{size}", "Content-Length": str(end - first)}
    return Span(206, first, end, {**headers, "Accept-Ranges": "bytes"})
