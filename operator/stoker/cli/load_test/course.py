"""What a load test is going to send, and its end."""

from collections.abc import Iterator
from dataclasses import dataclass

from stoker.core.counted import counted

MOST_AT_ONCE = 4096
MOST_LEVELS = 20
MOST_REQUESTS = 100_000
MOST_SECONDS = 3600.0


@dataclass(frozen=True)
class Course:
    """Levels of concurrency, one after the other. Of `requests` and `seconds` at least one ends each level."""

    base: str
    """Base address of the OpenAI API, such as http://llama.models.svc/v1."""
    model: str
    levels: tuple[int, ...]
    prompt_tokens: int
    output_tokens: int
    requests: int | None
    seconds: float | None
    longest_seconds: float
    """Time after which a request is given up."""
    ends_early: bool = False
    """Whether the model may end an answer before it has all output tokens."""

    @property
    def address(self) -> str:
        return f"{self.base}/chat/completions"

    def announcement(self) -> Iterator[str]:
        """What a person should know before the first request."""
        early = "at most " if self.ends_early else ""
        tokens = (
            f"{counted(self.prompt_tokens, 'prompt token')}, more or less, and"
            f" {early}{counted(self.output_tokens, 'output token')}"
        )
        yield f"Sends to {self.address}, as model {self.model}:"
        yield f"  {tokens} a request,"
        yield "  and every prompt begins differently, so that no cache answers for the model"
        yield f"  {', '.join(map(str, self.levels))} at once, {self._end()}"
        yield f"  {' and '.join(self._bounds())}, and one request before that is not counted"

    def _bounds(self) -> Iterator[str]:
        if self.requests is not None:
            whole = self.requests * len(self.levels)
            yield f"at most {counted(whole, 'request')}, {counted(whole * self.output_tokens, 'output token')}"
        if self.seconds is not None:
            sending = len(self.levels) * self.seconds
            yield f"at most {sending:g} s of sending and {self.longest_seconds:g} s a level for what is then under way"

    def _end(self) -> str:
        ends = []
        if self.requests is not None:
            ends.append(counted(self.requests, "request"))
        if self.seconds is not None:
            ends.append(f"{self.seconds:g} s")
        return f"{' or '.join(ends)} each"


def levels_in(text: str) -> tuple[int, ...]:
    """`1,10,50`; ValueError says what is wrong."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= MOST_AT_ONCE for part in parts):
        raise ValueError(f"{text}: write numbers from 1 to {MOST_AT_ONCE} with commas between, such as 1,10,50")
    if len(parts) > MOST_LEVELS:
        raise ValueError(f"{text}: has {len(parts)} levels: write at most {MOST_LEVELS}")
    return tuple(int(part) for part in parts)
