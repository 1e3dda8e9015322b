"""The last lines that the engine wrote, kept in bounded memory."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

_MOST_LINE_BYTES = 2_000


class LastLines:
    """Filled by one thread for each stream, read by another."""

    def __init__(self, most: int = 400, now: Callable[[], float] = time.monotonic) -> None:
        self._lines: deque[tuple[float, bytes]] = deque(maxlen=most)
        self._partial: dict[int, bytes] = {}
        self._lock = Lock()
        self._now = now

    def add(self, stream: int, output: bytes) -> None:
        """Whatever was read: half a line, or many."""
        now = self._now()
        with self._lock:
            *complete, rest = (self._partial.get(stream, b"") + output).split(b"\n")
            # A progress bar returns to the line's beginning, and writes over it without end.
            self._partial[stream] = rest.rpartition(b"\r")[2][-_MOST_LINE_BYTES:]
            self._lines.extend((now, _shown(line)) for line in complete if line.strip())

    def within(self, seconds: float) -> list[str]:
        """Those written in the last `seconds`, the oldest first."""
        since = self._now() - seconds
        with self._lock:
            lines = [line for written, line in self._lines if written >= since]
            lines += [_shown(rest) for rest in self._partial.values() if rest.strip()]
        return [line.decode(errors="replace") for line in lines]


def _shown(line: bytes) -> bytes:
    return line.rstrip(b"\r").rpartition(b"\r")[2][:_MOST_LINE_BYTES]
