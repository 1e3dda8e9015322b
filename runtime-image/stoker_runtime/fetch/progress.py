"""How far a download is, as a sentence and as figures."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_UNITS = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_RATE_OVER_SECONDS = 10.0


@dataclass
class Progress:
    """Shared by all threads of a download."""

    total_bytes: int | None = None
    present_bytes: int = 0  # of the files, wherever they came from
    fetched_bytes: int = 0  # over the network, thrown away ones too
    state: str = "Starting"
    clock: Callable[[], float] = time.monotonic
    _seen: list[tuple[float, int]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arrived(self, count: int) -> None:
        with self._lock:
            self.fetched_bytes += count
            self.present_bytes += count

    def found(self, count: int) -> None:
        """Bytes that were there already, or, below zero, that were thrown away."""
        with self._lock:
            self.present_bytes += count

    def line(self) -> str:
        rate = self._bytes_per_second()
        figures = {"fetchedBytes": self.present_bytes, "totalBytes": self.total_bytes, "bytesPerSecond": round(rate)}
        return f"{sentence(self.state, self.present_bytes, self.total_bytes, rate)} {json.dumps(figures)}"

    def _bytes_per_second(self) -> float:
        now = self.clock()
        with self._lock:
            self._seen.append((now, self.fetched_bytes))
            while now - self._seen[0][0] > _RATE_OVER_SECONDS and len(self._seen) > 2:
                self._seen.pop(0)
            (first_at, first), (last_at, last) = self._seen[0], self._seen[-1]
        return (last - first) / (last_at - first_at) if last_at > first_at else 0.0


def sentence(state: str, present_bytes: int, total_bytes: int | None, rate: float) -> str:
    if total_bytes is None:
        return state if not present_bytes else f"{state} {amount(present_bytes)}, {amount(round(rate))}/s"
    name, unit = _unit(total_bytes)
    text = f"{state} {present_bytes / unit:.1f}/{total_bytes / unit:.1f} {name}"
    if present_bytes < total_bytes and rate > 0:
        text += f", {amount(round(rate))}/s, {duration((total_bytes - present_bytes) / rate)} left"
    return text


def amount(count: int) -> str:
    name, unit = _unit(count)
    return f"{count / unit:.0f} {name}" if count >= 10 * unit else f"{count / unit:.1f} {name}"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _unit(count: int) -> tuple[str, int]:
    return next(((name, unit) for name, unit in _UNITS if count >= unit), ("B", 1))
