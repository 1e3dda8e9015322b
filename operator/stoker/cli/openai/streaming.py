"""One streaming request, from the connection to the last event."""

import asyncio
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from stoker.cli.paint import printable

_BUSY = (429, 503)
_NO_KEY = (401, 403)
_LONGEST_DETAIL = 200
Json = dict[str, Any]


class Outcome(StrEnum):
    """Everything but FINISHED is an error."""

    FINISHED = "finished"
    REFUSED = "refused"  # 429 or 503
    FAILED = "failed"  # another status, or an error within the stream
    CUT = "cut"  # the connection ended before the answer did
    UNREACHABLE = "unreachable"  # no connection, or none that answered
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class Streamed:
    """What became of one request. Moments are seconds of the loop's clock."""

    outcome: Outcome
    asked_at: float
    ended_at: float
    moments: tuple[float, ...] = ()
    """Of each event with text."""
    prompt_tokens: int | None = None
    """As the server counted them, like the next; None: it did not say."""
    output_tokens: int | None = None
    status: int | None = None
    detail: str = ""

    @property
    def tokens(self) -> int:
        """An event is one token with most engines, which is the next best where the server does not count."""
        return self.output_tokens if self.output_tokens is not None else len(self.moments)

    @property
    def trouble(self) -> str:
        hint = ": name the variable that holds its key with --key-variable" if self.status in _NO_KEY else ""
        return f"{self.outcome.value}: {self.detail}{hint}"


class _Gathered:
    """What has come of one answer."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.usage: Json = {}
        self.status: int | None = None
        self.error: str | None = None

    def take(self, event: object, now: float) -> None:
        if not isinstance(event, dict):
            return
        if event.get("error"):
            self.error = str(event["error"])
        if isinstance(event.get("usage"), dict):
            self.usage = event["usage"]
        if any(_has_text(choice) for choice in event.get("choices") or ()):
            self.moments.append(now)

    def tokens(self, field: str) -> int | None:
        value = self.usage.get(field)
        return value if isinstance(value, int) else None


async def stream(session: aiohttp.ClientSession, address: str, body: Json, longest_seconds: float) -> Streamed:
    """Asks with what the body says, and to be told the tokens."""
    loop = asyncio.get_running_loop()
    asked_at = loop.time()
    gathered = _Gathered()
    asked = body | {"stream": True, "stream_options": {"include_usage": True}}

    def ended(outcome: Outcome, detail: str = "") -> Streamed:
        return Streamed(
            outcome,
            asked_at,
            loop.time(),
            tuple(gathered.moments),
            gathered.tokens("prompt_tokens"),
            gathered.tokens("completion_tokens"),
            gathered.status,
            printable(detail)[:_LONGEST_DETAIL],
        )

    try:
        async with (
            asyncio.timeout(longest_seconds),
            session.post(address, json=asked, allow_redirects=False) as response,
        ):
            gathered.status = response.status
            return ended(*await _read(response, gathered))
    except TimeoutError:
        return ended(Outcome.TIMED_OUT, f"no end within {longest_seconds:g} s")
    except (aiohttp.ClientError, OSError) as failed:
        outcome = Outcome.UNREACHABLE if gathered.status is None else Outcome.CUT
        return ended(outcome, f"{type(failed).__name__}: {failed}")
    except (ValueError, HttpProcessingError) as broken:  # no JSON, or a line without an end
        return ended(Outcome.CUT, f"the stream makes no sense: {broken}")


async def _read(response: aiohttp.ClientResponse, gathered: _Gathered) -> tuple[Outcome, str]:
    if response.status != 200:
        said = f"{response.status} {(await response.content.read(2000)).decode(errors='replace')}"
        return Outcome.REFUSED if response.status in _BUSY else Outcome.FAILED, said
    loop = asyncio.get_running_loop()
    async for line in response.content:
        if line.startswith(b"data: [DONE]"):
            return Outcome.FINISHED, ""
        if line.startswith(b"data:"):
            gathered.take(json.loads(line[5:]), loop.time())
            if gathered.error is not None:
                return Outcome.FAILED, gathered.error
    return Outcome.CUT, "the stream ended without [DONE]"


def _has_text(choice: object) -> bool:
    """A token of a plain completion may have no text of its own; the first event of a chat only says who speaks."""
    if not isinstance(choice, dict):
        return False
    if isinstance(choice.get("text"), str):
        return True
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return False
    return any(delta.get(field) for field in ("content", "reasoning_content", "reasoning", "tool_calls"))
