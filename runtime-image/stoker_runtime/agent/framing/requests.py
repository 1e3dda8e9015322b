"""The head of a request."""

import re
from dataclasses import dataclass

from stoker_runtime.agent.framing.fields import (
    CLOSE,
    KEEP_ALIVE,
    Field,
    connection_words,
    content_length,
    is_chunked,
    passed_on,
    read_fields,
    shown,
    values,
)
from stoker_runtime.agent.framing.unreadable import UnreadableError

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ([\x21\x22\x24-\x7e]+) HTTP/([0-9])\.([0-9])")
_ABSOLUTE = re.compile(rb"https?://([^/?@]+)([/?].*)?", re.IGNORECASE)
_NO_HOST = (b"host", b"localhost", b"Host: localhost")  # of a client of HTTP/1.0, for an engine of HTTP/1.1
_UPGRADES_TO_IGNORE = frozenset({b"h2c"})  # what clients offer, and do without


@dataclass(frozen=True, slots=True)
class RequestHead:
    method: bytes
    target: bytes  # the path and the query, or `*`
    is_new: bool  # HTTP/1.1, where 1.0 knows neither chunks nor 100
    keep_alive: bool
    length: int | None  # None where the body comes in chunks
    asks_first: bool  # `Expect: 100-continue`
    lines: list[bytes]  # the fields for the engine, as they came

    @property
    def counts(self) -> bool:
        """Whether a model may have to work for it."""
        return self.method not in {b"GET", b"HEAD", b"OPTIONS"}

    def to_engine(self, host: str | None = None) -> bytes:
        """`host` is told instead of the one that the client named."""
        lines = self.lines
        if host is not None:
            lines = [b"Host: " + host.encode(), *(line for line in lines if not line.lower().startswith(b"host:"))]
        coding = [b"Transfer-Encoding: chunked"] if self.length is None else []
        return b"\r\n".join([b"%b %b HTTP/1.1" % (self.method, self.target), *lines, *coding, b"", b""])


def read_request_head(head: bytes, most_fields: int) -> RequestHead:
    """`head` ends with its empty line."""
    first, *lines = head[:-4].split(b"\r\n")
    match = _LINE.fullmatch(first)
    if match is None:
        raise UnreadableError(400, f"the request line is not one of HTTP/1.1: {shown(first)}")
    if match[3] != b"1" or match[4] not in {b"0", b"1"}:
        raise UnreadableError(505, "the version of HTTP must be 1.1 or 1.0")
    is_new = match[4] == b"1"
    fields = read_fields(lines, most_fields)
    target, fields = _origin(match[1], match[2], _checked_host(fields, is_new))
    _refuse_upgrade(match[1], fields)
    words = connection_words(fields)
    length = _length(fields, is_new)
    return RequestHead(
        method=match[1],
        target=target,
        is_new=is_new,
        keep_alive=CLOSE not in words and (is_new or KEEP_ALIVE in words),
        length=length,
        asks_first=_asks_first(fields, is_new) and length != 0,
        lines=[line for line in passed_on(fields, words) if not line.lower().startswith(b"expect:")],
    )


def _checked_host(fields: list[Field], is_new: bool) -> list[Field]:
    hosts = len(values(fields, b"host"))
    if hosts > 1 or (is_new and not hosts):
        raise UnreadableError(400, f"the request has {hosts} Host fields: send one")
    return fields if hosts else [*fields, _NO_HOST]


def _origin(method: bytes, target: bytes, fields: list[Field]) -> tuple[bytes, list[Field]]:
    """A target with a scheme and an authority means the same as its path, and names the host."""
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return target, fields
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise UnreadableError(400, f"the target of the request is not a path: {shown(target)}")
    rest = match[2] or b"/"
    host = (b"host", match[1], b"Host: " + match[1])
    others = [field for field in fields if field[0] != b"host"]
    return rest if rest.startswith(b"/") else b"/" + rest, [host, *others]


def _refuse_upgrade(method: bytes, fields: list[Field]) -> None:
    if method == b"CONNECT":
        raise UnreadableError(501, "CONNECT is not served here")
    for value in values(fields, b"upgrade"):
        if value.lower() not in _UPGRADES_TO_IGNORE:
            raise UnreadableError(501, f"an upgrade to {shown(value)} is not served here: use HTTP/1.1")


def _length(fields: list[Field], is_new: bool) -> int | None:
    chunked = is_chunked(fields)
    length = content_length(fields)
    if not chunked:
        return length or 0
    if length is not None:
        raise UnreadableError(400, "the request has both content-length and transfer-encoding")
    if not is_new:
        raise UnreadableError(400, "a request of HTTP/1.0 cannot come in chunks")
    return None


def _asks_first(fields: list[Field], is_new: bool) -> bool:
    expected = [value.lower() for value in values(fields, b"expect")]
    if any(value != b"100-continue" for value in expected):
        raise UnreadableError(417, f"of Expect only 100-continue is understood, not {shown(expected[0])}")
    return bool(expected) and is_new
