"""What passed through the replica, counted at the pipe, in the same way for every engine."""

import asyncio
import math
from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

# As vLLM's own histograms have them, so that both can be laid over each other.
TTFT_BOUNDS_SECONDS = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
ITL_BOUNDS_SECONDS = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip


class Outcome(StrEnum):
    FINISHED = "finished"
    CLIENT_LEFT = "client_left"
    ENGINE_FAILED = "engine_failed"  # 5xx, cut, or not there
    REJECTED = "rejected"  # 4xx
    REFUSED = "refused"  # by the gate; never in flight


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer says of itself; None where it says nothing."""

    prompt_tokens: int | None
    output_tokens: int | None


class Histogram:
    """`counts[i]` are at most `bounds[i]`, the last is of all above."""

    __slots__ = ("bounds", "count", "counts", "sum_seconds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.count = 0
        self.sum_seconds = 0.0

    def observe(self, seconds: float, times: int = 1) -> None:
        self.counts[bisect_left(self.bounds, seconds)] += times
        self.count += times
        self.sum_seconds += seconds * times


class Tally:
    """Only requests to model paths count. Times are on the monotonic clock, given by the caller."""

    def __init__(self) -> None:
        self.in_flight = 0  # heads read, answers not ended
        self.waiting = 0  # of these, without a byte of an answer's body
        self.prompt_bytes = 0  # of those that wait
        self.arrivals = 0  # let in
        self.ended = dict.fromkeys(Outcome, 0)
        self.output_tokens = 0  # of answers that ended: what they say, or the chunks of a stream that says nothing
        self.prompt_tokens: int | None = None  # None until an answer says it
        self.ttft = Histogram(TTFT_BOUNDS_SECONDS)
        self.itl = Histogram(ITL_BOUNDS_SECONDS)
        self.last_wait_seconds = 0.0  # for the first chunk of the stream that began last,
        self.last_began_seconds = -math.inf  # and when that came
        self.last_progress_seconds = -math.inf  # the last byte of an answer's body; minus infinity before the first
        self._streams_without_usage = 0
        self._answers_with_usage = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def counted(self) -> Literal["usage", "chunks"]:
        """How `output_tokens` came about: "usage" as long as every stream that came whole said what it used."""
        return "usage" if self._answers_with_usage and not self._streams_without_usage else "chunks"

    async def until_idle(self) -> None:
        """Nothing is in flight."""
        await self._idle.wait()

    def begin(self) -> None:
        self.arrivals += 1
        self.in_flight += 1
        self.waiting += 1
        self._idle.clear()

    def answering(self) -> None:
        """The first byte of an answer's body."""
        self.waiting -= 1

    def end(self, outcome: Outcome, *, answered: bool) -> None:
        """`answered` where `answering` was called before."""
        self.ended[outcome] += 1
        self.in_flight -= 1
        if not answered:
            self.waiting -= 1
        if not self.in_flight:
            self._idle.set()

    def refused(self) -> None:
        self.ended[Outcome.REFUSED] += 1

    def add_usage(self, usage: Usage) -> None:
        """Of an answer that says what it used."""
        self._answers_with_usage += 1
        self.output_tokens += usage.output_tokens or 0
        if usage.prompt_tokens is not None:
            self.prompt_tokens = (self.prompt_tokens or 0) + usage.prompt_tokens

    def add_chunks(self, chunks: int, *, whole: bool) -> None:
        """Of a stream that does not say it, or was cut before it could."""
        self._streams_without_usage += whole
        self.output_tokens += chunks
