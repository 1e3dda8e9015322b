"""One replica that is being asked: what is known of it, and where the asking stands."""

from enum import StrEnum
from typing import Protocol

from stoker.core.scaling.observation import Load
from stoker.signals.polling.connection import Connection
from stoker.signals.polling.pace import Pace, share_of
from stoker.signals.sighting import Record
from stoker.signals.target import Source, Target


class Answers(Protocol):
    """Reads the bodies of one replica's answers. `read` raises UnreadableError."""

    def read(self, body: bytes, now_seconds: float) -> Load: ...


class Standing(StrEnum):
    WAITING = "waiting"
    """For its time, or for room."""
    CONNECTING = "connecting"
    ASKED = "asked"
    LATE = "late"
    """Asked, and out of time; what it answers is still of use."""
    GONE = "gone"


MOST_BODY_BYTES = {Source.AGENT: 16 << 10, Source.ENGINE: 1 << 20}


class Asked:
    """Its place in the poller's queues is by `number`: what waits for an earlier question is passed over."""

    __slots__ = (
        "answers",
        "busy_seconds",
        "connection",
        "due_seconds",
        "followed_at",
        "interval_seconds",
        "is_aside",
        "is_failing",
        "number",
        "question",
        "record",
        "share",
        "standing",
        "target",
    )

    def __init__(self, target: Target, answers: Answers, followed_at: int, now_seconds: float, pace: Pace) -> None:
        self.target = target
        self.answers = answers
        self.followed_at = followed_at  # the number of the list of targets that it came with
        self.record = Record(pace.expire_seconds)
        self.question = question(target)
        self.share = share_of(target.uid)
        self.connection: Connection | None = None
        self.standing = Standing.WAITING
        self.number = 0
        self.due_seconds: float | None = None  # where it waits for its time
        self.interval_seconds = pace.busy_seconds / 2  # so that one failure costs no more than a usual wait
        self.busy_seconds = now_seconds
        self.is_failing = False
        self.is_aside = True  # not asked, since it has no address or not for itself

    @property
    def most_body_bytes(self) -> int:
        return MOST_BODY_BYTES[self.target.source]


def question(target: Target) -> bytes:
    host = f"[{target.ip}]" if ":" in target.ip else target.ip
    return (
        f"GET {target.path} HTTP/1.1\r\nHost: {host}:{target.port}\r\nUser-Agent: stoker\r\n"
        "Accept: text/plain;version=0.0.4, application/json\r\nAccept-Encoding: identity\r\n\r\n"
    ).encode()
