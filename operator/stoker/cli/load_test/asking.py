"""One request of a load test, and what is kept of it."""

import random
from typing import Any

import aiohttp

from stoker.cli.load_test.course import Course
from stoker.cli.load_test.measured import Answer
from stoker.cli.openai.server import prompt_of
from stoker.cli.openai.streaming import Streamed, stream


async def ask(session: aiohttp.ClientSession, course: Course, chance: random.Random) -> Streamed:
    return await stream(session, course.address, body(course, chance), course.longest_seconds)


def body(course: Course, chance: random.Random) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "model": course.model,
        "max_tokens": course.output_tokens,
        "messages": [{"role": "user", "content": prompt_of(chance, course.prompt_tokens)}],
    }
    return asked if course.ends_early else asked | {"ignore_eos": True}


def kept(streamed: Streamed) -> Answer:
    """Without the moment of every token: there may be millions of them."""
    first, last = (streamed.moments[0], streamed.moments[-1]) if streamed.moments else (None, None)
    return Answer(
        streamed.outcome,
        streamed.ended_at - streamed.asked_at,
        None if first is None else first - streamed.asked_at,
        None if last is None else last - streamed.asked_at,
        streamed.output_tokens,
        streamed.prompt_tokens,
        len(streamed.moments),
        streamed.detail,
    )
