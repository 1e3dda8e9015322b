"""What the head of an answer means: go on, try again, or end with a reason."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.patience import Interrupted, told_seconds
from stoker_runtime.fetch.urls import shown

REDIRECTS = frozenset({301, 302, 303, 307, 308})
RANGE_NOT_SATISFIABLE = 416
_TRY_AGAIN = frozenset({408, 421, 425, 429})
_REFUSALS = {
    401: (Reason.UNAUTHORIZED, "wants a token, or another one", "give one by a Secret that may read this source"),
    402: (Reason.FORBIDDEN, "wants a paid plan", "look at the account that the token belongs to"),
    403: (
        Reason.FORBIDDEN,
        "refuses",
        "accept the licence there if it has one, and give a token that may read this source",
    ),
    404: (Reason.NOT_FOUND, "does not exist", "check the spelling, and that the token may see it"),
    410: (Reason.NOT_FOUND, "is gone for good", "choose another source or revision"),
    451: (Reason.FORBIDDEN, "is withheld for legal reasons", "choose another source"),
}


class Refused(WeightsError):  # noqa: N818 - it is the request that is refused
    """The server's own no. Registries say in its headers where a token is to be had."""

    def __init__(self, reason: Reason, message: str, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(reason, message)
        self.status, self.headers = status, headers


def judge(url: str, status: int, headers: Mapping[str, str], now: datetime | None = None) -> None:
    """Returns for an answer to read on. Raises Interrupted or Refused for all others."""
    if 200 <= status < 300 or status in (304, RANGE_NOT_SATISFIABLE):
        return
    if status in _TRY_AGAIN or status >= 500:
        told = told_seconds(headers.get("retry-after"), now or datetime.now(UTC))
        raise Interrupted(f"{shown(url)} answers {status}", told)
    reason, found, remedy = _REFUSALS.get(
        status, (Reason.UNREACHABLE, "gives no content", "check the source and what stands between")
    )
    raise Refused(reason, f"{shown(url)} {found} ({status}): {remedy}", status, headers)


@dataclass(frozen=True)
class Span:
    """Which bytes an answer brings: `first` up to, not including, `end`, of `total`. None: not said."""

    first: int
    end: int | None
    total: int | None


def span_of(url: str, status: int, headers: Mapping[str, str]) -> Span:
    """As the head of a 2xx answer tells it."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise WeightsError(
            Reason.UNSAFE_SOURCE,
            f"{shown(url)} comes as {headers['content-encoding']}, which was not asked for: "
            "take away what compresses between",
        )
    if status != 206:
        length = headers.get("content-length", "")
        size = int(length) if length.isascii() and length.isdigit() else None
        return Span(0, size, size)
    text = headers.get("content-range", "")
    match = re.fullmatch(r"\s*bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)\s*", text)
    if match is None or int(match[1]) > int(match[2]):
        raise Interrupted(f"{shown(url)} answers 206 with Content-Range {text[:80]!r}")
    return Span(int(match[1]), int(match[2]) + 1, None if match[3] == "*" else int(match[3]))


def validator_of(headers: Mapping[str, str]) -> str | None:
    """What If-Range may hold: a strong ETag, or else the time of the last change."""
    etag = headers.get("etag", "").strip()
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("last-modified") or None
