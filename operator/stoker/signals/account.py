"""Loads out of what an engine says of itself, or Prometheus of the engine or its agent.

An engine does not count arrivals. What is certain is a lower bound of them: with t first tokens given and q requests
queued, and i requests in flight,

    A ← max(A + max(0, Δi), t + q)         A₀ = t + q, or i where t is not said
    F ← max(F, A - i)                      requests that ended

so that a rate from it may raise a decision and never lower one. Requests that were given up before their first token,
and those whose prompt is being computed, are in i while they last and not in t + q.

Counters begin at zero where the first look was: what happened before it is nobody's recent load. A counter that went
back is a new start of the engine: from there all of it counts. A counter that is not said repeats its last value.
"""

from dataclasses import dataclass, field, replace

from stoker.core.scaling.observation import Load
from stoker.signals.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Figures:
    """One look. None: not said."""

    in_flight: int | None = None
    waiting: int | None = None
    arrivals: int | None = None
    finished: int | None = None
    running: int | None = None
    queued: int | None = None
    kv_share: float | None = None
    preemptions: int | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    ttft_count: int | None = None
    ttft_sum_seconds: float | None = None
    itl_count: int | None = None
    itl_sum_seconds: float | None = None
    asleep: bool = False


_COUNTERS = (
    "arrivals",
    "finished",
    "preemptions",
    "prompt_tokens",
    "output_tokens",
    "ttft_count",
    "itl_count",
)
_SUMS = ("ttft_sum_seconds", "itl_sum_seconds")


@dataclass(slots=True)
class Account:
    """Of one replica, in order."""

    name: str
    """Of this operator's start, so that what another one counted is not taken for the same counters."""
    _starts: int = field(default=0, init=False)
    _last: Figures | None = field(default=None, init=False)
    _arrivals: int = field(default=0, init=False)
    _finished: int = field(default=0, init=False)
    _uncounted: tuple[int, int] = field(default=(0, 0), init=False)
    _in_flight: int = field(default=0, init=False)

    def load(self, figures: Figures, at_seconds: float) -> Load:
        """Raises UnreadableError where it is not said how many requests there are."""
        in_flight, waiting = _present(figures)
        last = self._last
        if last is not None and _started_anew(last, figures):
            self._starts += 1
            last = None
        figures = figures if last is None else _filled(figures, last)
        arrivals = _arrivals(figures, in_flight, None if last is None else (self._arrivals, self._in_flight))
        finished = arrivals - in_flight if figures.finished is None else figures.finished
        finished = max(0 if last is None else self._finished, finished)
        if last is None:
            self._uncounted = (0, 0) if self._starts else (arrivals, finished)
        self._last, self._arrivals, self._finished, self._in_flight = figures, arrivals, finished, in_flight
        return Load(
            at_seconds=at_seconds,
            boot=f"{self.name}-{self._starts}",
            in_flight=in_flight,
            waiting=waiting,
            arrivals=max(0, arrivals - self._uncounted[0]),
            finished=max(0, finished - self._uncounted[1]),
            running=figures.running,
            queued=figures.queued,
            kv_share=figures.kv_share,
            preemptions=figures.preemptions,
            prompt_tokens=figures.prompt_tokens,
            output_tokens=figures.output_tokens or 0,
            ttft_count=figures.ttft_count or 0,
            ttft_sum_seconds=figures.ttft_sum_seconds or 0.0,
            itl_count=figures.itl_count or 0,
            itl_sum_seconds=figures.itl_sum_seconds or 0.0,
            asleep=figures.asleep,
        )


def _present(figures: Figures) -> tuple[int, int]:
    """Requests in flight, and those of them that wait."""
    in_flight, waiting = figures.in_flight, figures.waiting if figures.waiting is not None else figures.queued
    if in_flight is None and figures.running is not None and figures.queued is not None:
        in_flight = figures.running + figures.queued
    if in_flight is None or waiting is None:
        lacking = "running" if figures.running is None else "queued"
        raise UnreadableError(f"it does not say how many requests are {lacking}")
    return in_flight, waiting


def _started_anew(before: Figures, after: Figures) -> bool:
    for name in _COUNTERS:
        old, new = getattr(before, name), getattr(after, name)
        if old is not None and new is not None and new < old:
            return True
    return False


def _filled(figures: Figures, last: Figures) -> Figures:
    missing = {name: getattr(last, name) for name in (*_COUNTERS, *_SUMS) if getattr(figures, name) is None}
    return replace(figures, **missing) if missing else figures


def _arrivals(figures: Figures, in_flight: int, before: tuple[int, int] | None) -> int:
    if figures.arrivals is not None:
        return figures.arrivals
    seen = None if figures.ttft_count is None else figures.ttft_count + (figures.queued or 0)
    if before is None:
        return in_flight if seen is None else seen
    arrivals, was_in_flight = before
    return max(arrivals + max(0, in_flight - was_in_flight), seen or 0)
