"""Keeps so many requests under way at once: each is followed by the next until the level ends."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import aiohttp

from stoker.cli.input_error import InputError
from stoker.cli.load_test.asking import ask, kept
from stoker.cli.load_test.course import MOST_REQUESTS, Course
from stoker.cli.load_test.measured import Answer, Level, level
from stoker.cli.openai.streaming import Outcome

_LOOK_SECONDS = 0.02
_AFTER_A_FAILURE_SECONDS = 0.2
Progress = Callable[[int, int, float], None]
"""Told of the level, its requests that ended, and its seconds."""


async def levels(
    session: aiohttp.ClientSession, course: Course, seed: int | None, progress: Progress
) -> AsyncIterator[Level]:
    """One after the other. InputError where not even a first request is answered."""
    chance = random.Random(seed)  # noqa: S311 - draws prompts, guards nothing
    first = await ask(session, course, chance)
    if first.outcome is not Outcome.FINISHED:
        raise InputError([f"{course.address}: no answer to the first request, {first.trouble}"])
    for at_once in course.levels:
        measured = await _level(session, course, at_once, chance, progress)
        yield measured
        if not measured.finished:
            return  # more of what is not answered at all tells nothing


async def _level(
    session: aiohttp.ClientSession, course: Course, at_once: int, chance: random.Random, progress: Progress
) -> Level:
    loop = asyncio.get_running_loop()
    began = loop.time()
    answers: list[Answer] = []
    lateness: list[float] = []
    sent = 0

    def may_send() -> bool:
        if sent >= MOST_REQUESTS:
            return False
        in_time = course.seconds is None or loop.time() - began < course.seconds
        return in_time and (course.requests is None or sent < course.requests)

    async def one_after_the_other() -> None:
        nonlocal sent
        while may_send():
            sent += 1
            answer = kept(await ask(session, course, chance))
            answers.append(answer)
            if answer.outcome is not Outcome.FINISHED:
                await asyncio.sleep(_AFTER_A_FAILURE_SECONDS)  # a server that refuses at once must not be flooded

    async def watch_the_clock() -> None:
        while True:
            before = loop.time()
            await asyncio.sleep(_LOOK_SECONDS)
            lateness.append(loop.time() - before - _LOOK_SECONDS)
            progress(at_once, len(answers), loop.time() - began)

    clock = asyncio.create_task(watch_the_clock())
    try:
        await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    finally:
        clock.cancel()
        with suppress(asyncio.CancelledError):
            await clock
    return level(at_once, answers, loop.time() - began, lateness)
