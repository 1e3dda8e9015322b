"""Whether an engine that says it is healthy has stopped working. A pure rule over observations.

An observation is `busy` when requests are in flight and the engine does not show, with a fresh reading, that it has
nothing to do while every request has got a part of its answer (then slow clients hold the rest up).

    still_since = the last of: a body byte of any answer, a change of the engine's own counters, their first reading
                  (one alone proves nothing), the first busy observation after one that was not
    limit       = stall_seconds * trust + prompt_bytes / PROMPT_BYTES_PER_SECOND, the latter at most MOST_PROMPT_SECONDS
    trust       = 1 where the engine's counters were ever read, BLIND_FACTOR where not: an answer in one piece may
                  take long, and without counters nothing tells it from a hang
    stalled     = busy and now - still_since >= limit

Arrivals do not move `still_since`: a hung engine in front of a busy service would never be found.
A reading that does not come is no movement: an engine that hangs often takes its metrics with it.
"""

import math
from dataclasses import dataclass

PROMPT_BYTES_PER_SECOND = 2_000.0  # 500 tokens/s, slower than any GPU's prefill
MOST_PROMPT_SECONDS = 600.0
BLIND_FACTOR = 5.0


@dataclass(frozen=True)
class Counters:
    """Of the engine itself; None where it does not say. They move with every step that it computes."""

    prompt_tokens: float | None = None
    output_tokens: float | None = None
    kv_share: float | None = None
    preemptions: float | None = None

    @property
    def say_something(self) -> bool:
        return self.prompt_tokens is not None or self.output_tokens is not None


@dataclass(frozen=True)
class Observation:
    now_seconds: float
    in_flight: int
    waiting: int  # of these, without a byte of an answer
    last_body_byte_seconds: float
    counters: Counters | None  # None: no reading since the last observation
    engine_is_idle: bool = False  # a fresh reading says that nothing runs and nothing is queued
    prompt_bytes: int = 0  # of the requests in flight

    @property
    def is_busy(self) -> bool:
        return self.in_flight > 0 and not (self.engine_is_idle and self.waiting == 0)


class StallRule:
    """Told of every observation, in order."""

    def __init__(self, stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._still_since = math.inf
        self._counters: Counters | None = None
        self.has_counters = False

    def still_seconds(self, seen: Observation) -> float:
        """For how long nothing has moved."""
        if not seen.is_busy:
            self._still_since = math.inf
        elif self._still_since == math.inf:
            self._still_since = seen.now_seconds
        if seen.is_busy and seen.last_body_byte_seconds > self._still_since:
            self._still_since = seen.last_body_byte_seconds
        if seen.counters is not None and seen.counters.say_something:
            if seen.counters != self._counters and seen.is_busy:
                self._still_since = seen.now_seconds
            self._counters = seen.counters
            self.has_counters = True
        return max(0.0, seen.now_seconds - self._still_since) if seen.is_busy else 0.0

    def limit_seconds(self, prompt_bytes: int) -> float:
        trust = 1.0 if self.has_counters else BLIND_FACTOR
        return self._stall_seconds * trust + min(prompt_bytes / PROMPT_BYTES_PER_SECOND, MOST_PROMPT_SECONDS)

    def is_stalled(self, seen: Observation) -> bool:
        return self.still_seconds(seen) >= self.limit_seconds(seen.prompt_bytes) and seen.is_busy

    def forget(self) -> None:
        """The engine is another one now."""
        self._still_since = math.inf
        self._counters = None
