"""What was measured at each level, from what became of every request."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stoker.cli.openai.streaming import Outcome

MOST_DETAILS = 3


@dataclass(frozen=True)
class Answer:
    """One request. Times are seconds since it was sent."""

    outcome: Outcome
    ended_seconds: float
    first_seconds: float | None = None
    """Until the first text; None: none came."""
    last_seconds: float | None = None
    output_tokens: int | None = None
    """As the server counted them; None: it did not say."""
    prompt_tokens: int | None = None
    events: int = 0
    """Pieces of text that came."""
    detail: str = ""

    @property
    def tokens(self) -> int:
        """A piece is one token with most engines, which is the next best where the server does not count."""
        return self.output_tokens if self.output_tokens is not None else self.events

    @property
    def gap_seconds(self) -> float | None:
        """Mean time between two tokens: (last - first) / (tokens - 1)."""
        if self.first_seconds is None or self.last_seconds is None or self.tokens < 2:
            return None
        return (self.last_seconds - self.first_seconds) / (self.tokens - 1)


@dataclass(frozen=True)
class Quantiles:
    """None: too few answers to tell."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class Level:
    """One level of concurrency."""

    at_once: int
    seconds: float
    finished: int
    errors: dict[str, int]
    details: dict[str, int]
    """What the errors said, the most frequent first."""
    first_token_seconds: Quantiles
    gap_seconds: Quantiles
    whole_seconds: Quantiles
    requests_per_second: float
    tokens_per_second: float
    prompt_tokens_mean: float | None
    """As the server counted them."""
    output_tokens_mean: float | None
    counted_by_server: bool
    """Whether the server counted the tokens; else every piece of text counts as one."""
    client_late_seconds: float
    """By how much this very program was late, in 99 of 100 looks. Latencies of that size are its own."""

    @property
    def sent(self) -> int:
        return self.finished + sum(self.errors.values())


def level(at_once: int, answers: Sequence[Answer], seconds: float, lateness: Sequence[float]) -> Level:
    good = [answer for answer in answers if answer.outcome is Outcome.FINISHED]
    bad = [answer for answer in answers if answer.outcome is not Outcome.FINISHED]
    tokens = sum(answer.tokens for answer in good)
    return Level(
        at_once=at_once,
        seconds=seconds,
        finished=len(good),
        errors=dict(Counter(answer.outcome.value for answer in bad)),
        details=dict(Counter(answer.detail for answer in bad if answer.detail).most_common(MOST_DETAILS)),
        first_token_seconds=quantiles([answer.first_seconds for answer in good]),
        gap_seconds=quantiles([answer.gap_seconds for answer in good]),
        whole_seconds=quantiles([answer.ended_seconds for answer in good]),
        requests_per_second=len(good) / seconds if seconds else 0.0,
        tokens_per_second=tokens / seconds if seconds else 0.0,
        prompt_tokens_mean=_mean([answer.prompt_tokens for answer in good]),
        output_tokens_mean=tokens / len(good) if good else None,
        counted_by_server=bool(good) and all(answer.output_tokens is not None for answer in good),
        client_late_seconds=quantiles(list(lateness)).p99 or 0.0,
    )


def quantiles(values: Sequence[float | None]) -> Quantiles:
    """By nearest rank: the smallest value that is no less than the share of all."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return Quantiles(None, None, None)

    def at(percent: int) -> float:
        rank = -(-percent * len(known) // 100)  # rounded up
        return known[rank - 1]

    return Quantiles(at(50), at(95), at(99))


def _mean(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
