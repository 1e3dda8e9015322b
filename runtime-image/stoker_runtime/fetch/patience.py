"""How long to try again, and how long to wait before each time.

Patience is counted from the last byte of progress, so a transfer that is slow but moves never ends by it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import random


@dataclass(frozen=True)
class Times:
    """All waits of a download."""

    connect_seconds: float = 10.0
    stall_seconds: float = 60.0  # without a byte
    patience_seconds: float = 600.0  # without progress, over all tries
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    longest_told_seconds: float = 120.0  # of a Retry-After


class Interrupted(Exception):  # noqa: N818 - an end that is no error yet
    """This time it did not work; another time it may."""

    def __init__(self, message: str, told_seconds: float | None = None) -> None:
        super().__init__(message)
        self.told_seconds = told_seconds


class Stopped(Exception):  # noqa: N818 - nothing is wrong
    """The process was told to end."""


def wait_seconds(times: Times, attempt: int, told_seconds: float | None, chance: float) -> float:
    """Doubling, between the half and the whole of it by chance; a server's own word goes first, to a cap."""
    backoff: float = min(times.longest_wait_seconds, times.first_wait_seconds * 2.0 ** min(attempt, 20))
    jittered = backoff * (0.5 + chance / 2)
    if told_seconds is None:
        return jittered
    # Jitter on top: all jobs of a fleet are told the same.
    return min(times.longest_told_seconds, max(0.0, told_seconds)) + jittered


def told_seconds(retry_after: str | None, now: datetime) -> float | None:
    """Retry-After, which is a number of seconds or a date."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())


class Patience:
    """Shared by all connections of one download."""

    def __init__(
        self,
        times: Times,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.times = times
        self._stop = stop
        self._clock = clock
        self._progress_at = clock()

    def progressed(self) -> None:
        self._progress_at = self._clock()

    def wait(self, attempt: int, why: Interrupted) -> bool:
        """Waits before the next try; false when patience is at its end."""
        self.check()
        left_seconds = self._progress_at + self.times.patience_seconds - self._clock()
        if left_seconds <= 0:
            return False
        chance = random()  # noqa: S311 - it keeps the jobs of a fleet apart
        self._stop.wait(min(left_seconds, wait_seconds(self.times, attempt, why.told_seconds, chance)))
        self.check()
        return True

    def check(self) -> None:
        if self._stop.is_set():
            raise Stopped
