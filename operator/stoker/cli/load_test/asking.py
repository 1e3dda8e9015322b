"""One streaming request, from the connection to the last event, and the questions before the first one."""

import asyncio
import json
import random
from typing import Any

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from stoker.cli.input_error import InputError
from stoker.cli.load_test.course import Course
from stoker.cli.load_test.measured import Answer, Outcome
from stoker.cli.paint import printable

_BUSY = (429, 503)
_LONGEST_DETAIL = 200
_WORDS = ("river", "stone", "window", "garden", "paper", "morning", "engine", "copper", "letter", "summer")
Json = dict[str, Any]


def body(course: Course, chance: random.Random) -> Json:
    """A prompt of words, each about one token. The first ones differ, so no prefix is known from another request."""
    words = [f"{chance.getrandbits(32):08x}", *(chance.choice(_WORDS) for _ in range(course.prompt_tokens - 1))]
    asked: Json = {
        "model": course.model,
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": course.output_tokens,
        "messages": [{"role": "user", "content": " ".join(words)}],
    }
    return asked if course.ends_early else asked | {"ignore_eos": True}


class _Stream:
    """What has come of one answer."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self.events = 0
        self.usage: Json = {}
        self.error: str | None = None

    def take(self, event: object, now: float) -> None:
        if not isinstance(event, dict):
            return
        if event.get("error"):
            self.error = str(event["error"])
        if isinstance(event.get("usage"), dict):
            self.usage = event["usage"]
        if any(_has_text(choice) for choice in event.get("choices") or ()):
            self.first = now if self.first is None else self.first
            self.last = now
            self.events += 1

    def answer(self, outcome: Outcome, ended: float, detail: str = "") -> Answer:
        return Answer(
            outcome,
            ended,
            self.first,
            self.last,
            _count(self.usage, "completion_tokens"),
            _count(self.usage, "prompt_tokens"),
            self.events,
            printable(detail)[:_LONGEST_DETAIL],
        )


async def ask(session: aiohttp.ClientSession, course: Course, asked: Json) -> Answer:
    loop = asyncio.get_running_loop()
    began = loop.time()
    stream = _Stream()
    answered = False

    def ended(outcome: Outcome, detail: str = "") -> Answer:
        return stream.answer(outcome, loop.time() - began, detail)

    try:
        async with (
            asyncio.timeout(course.longest_seconds),
            session.post(course.address, json=asked, allow_redirects=False) as response,
        ):
            answered = True
            return ended(*await _read(response, stream, began))
    except TimeoutError:
        return ended(Outcome.TIMED_OUT, f"no end within {course.longest_seconds:g} s")
    except (aiohttp.ClientError, OSError) as failed:
        return ended(Outcome.CUT if answered else Outcome.UNREACHABLE, f"{type(failed).__name__}: {failed}")
    except (ValueError, HttpProcessingError) as broken:  # no JSON, or a line without an end
        return ended(Outcome.CUT, f"the stream makes no sense: {broken}")


async def _read(response: aiohttp.ClientResponse, stream: _Stream, began: float) -> tuple[Outcome, str]:
    if response.status != 200:
        said = f"{response.status} {(await response.content.read(2000)).decode(errors='replace')}"
        return Outcome.REFUSED if response.status in _BUSY else Outcome.FAILED, said
    loop = asyncio.get_running_loop()
    async for line in response.content:
        if line.startswith(b"data: [DONE]"):
            return Outcome.FINISHED, ""
        if line.startswith(b"data:"):
            stream.take(json.loads(line[5:]), loop.time() - began)
            if stream.error is not None:
                return Outcome.FAILED, stream.error
    return Outcome.CUT, "the stream ended without [DONE]"


async def model_served(session: aiohttp.ClientSession, base: str) -> str:
    """The one model of the server; InputError where it has none, several, or does not say."""
    address = f"{base}/models"
    try:
        async with asyncio.timeout(30), session.get(address, allow_redirects=False) as response:
            if response.status != 200:
                raise InputError([f"{address} answers {response.status}: name the model with --model"])
            listed = json.loads(await response.content.read(1_000_000))
            found = [str(one["id"]) for one in listed["data"]]
    except TimeoutError as late:
        raise InputError([f"{address} does not answer within 30 s: correct the address"]) from late
    except (aiohttp.ClientError, OSError) as failed:
        raise InputError([f"{address} does not answer: {failed}: correct the address"]) from failed
    except (ValueError, KeyError, TypeError) as broken:
        raise InputError([f"{address} lists no models: name the model with --model"]) from broken
    if len(found) != 1:
        raise InputError([f"{address} lists {', '.join(found) or 'no model'}: name one with --model"])
    return found[0]


def _has_text(choice: object) -> bool:
    """The first event of many servers only says who speaks."""
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        return False
    return any(delta.get(field) for field in ("content", "reasoning_content", "reasoning", "tool_calls"))


def _count(usage: Json, field: str) -> int | None:
    value = usage.get(field)
    return value if isinstance(value, int) else None
