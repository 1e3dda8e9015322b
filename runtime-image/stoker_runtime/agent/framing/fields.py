"""Header fields: what is one, which of them concern only one connection, and what they say of a body's length."""

import re
from collections.abc import Iterable

from stoker_runtime.agent.framing.unreadable import UnreadableError

Field = tuple[bytes, bytes, bytes]  # the name in lower case, the value, the line as it came

# No space before the colon, no control character but the tab. A line that begins with a space continues no other here.
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[^\x00-\x08\x0a-\x1f\x7f]*[^\x00-\x20\x7f])?)[ \t]*")
_LENGTH = re.compile(rb"[0-9]{1,15}")
CLOSE = b"close"
KEEP_ALIVE = b"keep-alive"
_OF_ONE_CONNECTION = frozenset(
    {
        b"connection",
        b"http2-settings",
        KEEP_ALIVE,
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)
# What a trailer must not bring in behind the back of whoever decided by the head.
_NEVER_TRAILING = _OF_ONE_CONNECTION | {b"authorization", b"content-length", b"cookie", b"expect", b"host", b"trailer"}
# A client's `Connection` may not take these away from the engine.
_NOT_TO_BE_NAMED = frozenset({b"authorization", b"content-length", b"content-type", b"host"})


def read_fields(lines: list[bytes], most: int) -> list[Field]:
    """Of the lines behind the first one of a head, or of trailers."""
    if len(lines) > most:
        raise UnreadableError(431, f"the message has {len(lines)} header fields: send at most {most}")
    fields = []
    for line in lines:
        match = _FIELD.fullmatch(line)
        if match is None:
            raise UnreadableError(400, f"a line of the head is no header field: {shown(line)}")
        fields.append((match[1].lower(), match[2], line))
    return fields


def shown(text: bytes) -> str:
    """A piece of what came, fit for a sentence."""
    return ascii(text[:60].decode("latin-1"))


def values(fields: Iterable[Field], name: bytes) -> list[bytes]:
    return [value for field, value, _ in fields if field == name]


def connection_words(fields: Iterable[Field]) -> set[bytes]:
    """What the sender wants to hold for this connection alone."""
    return {word.strip().lower() for value in values(fields, b"connection") for word in value.split(b",")}


def passed_on(fields: Iterable[Field], words: set[bytes]) -> list[bytes]:
    """The lines that are for the other end, as they came."""
    dropped = _OF_ONE_CONNECTION | (words - _NOT_TO_BE_NAMED)
    return [line for name, _, line in fields if name not in dropped]


def passed_on_trailers(fields: Iterable[Field]) -> list[bytes]:
    return [line for name, _, line in fields if name not in _NEVER_TRAILING]


def content_length(fields: Iterable[Field]) -> int | None:
    """None where none is given."""
    given = values(fields, b"content-length")
    if not given:
        return None
    if len(given) > 1:
        raise UnreadableError(400, "content-length is there more than once")
    if _LENGTH.fullmatch(given[0]) is None:
        raise UnreadableError(400, f"content-length is not a number of bytes: {shown(given[0])}")
    return int(given[0])


def is_chunked(fields: Iterable[Field]) -> bool:
    """The one coding that is understood here; any other hides where the body ends."""
    given = values(fields, b"transfer-encoding")
    if not given:
        return False
    if len(given) > 1 or given[0].lower() != b"chunked":
        raise UnreadableError(400, f"transfer-encoding must be chunked and nothing else, not {shown(given[0])}")
    return True
