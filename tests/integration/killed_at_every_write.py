"""The operator is killed at one write after the other. It writes to a model one after the other too, so a kill before
the next write leaves the cluster as one after this write does: each moment is tried once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from tests.integration.operator_under_test import Line
from tests.integration.world import WAIT_SECONDS, World, prepare

MOST_WRITES = 60
ROUNDS_AT_ONCE = 8

Round = Callable[[World, Line], Awaitable[None]]


async def at_every_write(world: World, one_round: Round) -> None:
    """Each round has a line that kills the operator when one write more is done, before its answer is known; until a
    round has no such write left. Rounds have namespaces of their own, so several run at once."""
    places = [f"round-{index}" for index in range(ROUNDS_AT_ONCE)]
    await asyncio.gather(*(prepare(world.connection, place) for place in places))
    for first in range(0, MOST_WRITES, ROUNDS_AT_ONCE):
        lines = [Line(first + index) for index in range(ROUNDS_AT_ONCE)]
        rounds = (one_round(replace(world, namespace=place), line) for place, line in zip(places, lines, strict=True))
        await asyncio.gather(*rounds)
        if not all(line.killed.is_set() for line in lines):
            assert first or lines[1].killed.is_set(), "one write at most: nothing was shown"
            return
    raise AssertionError(f"still writing after {MOST_WRITES} writes")


async def until_killed_or(line: Line, settled: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not line.killed.is_set() and not await settled():  # noqa: ASYNC110 - the cluster decides when
            await asyncio.sleep(0.05)
    # What was in the air when it was settled may still be a write.
    await asyncio.sleep(0.2)
    assert line.killed.is_set() or len(line.writes) <= line.kill_at
    assert line.most_at_once == 1
