"""The operator while the API server refuses, falls silent, loses answers after the deed, or tears its watches."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Json, Query
from tests.beside import working
from tests.integration.operator_under_test import CountedConnection, OperatorUnderTest, operator
from tests.integration.world import World

ANSWERS = ("error", "throttled", "silence", "lost answer", "slow")
TORN = ("expired", "dropped", "repeated")
SLOW_SECONDS = 0.5
STORM_SECONDS = 4.0
QUIET_SECONDS = 3.0


class Weather:
    """What goes wrong, and how often it did."""

    def __init__(self) -> None:
        self.share = 0.25
        self.met: Counter[str] = Counter()
        self._chance = random.Random(7)  # noqa: S311

    def brings(self, faults: tuple[str, ...]) -> str:
        if self._chance.random() >= self.share:
            return ""
        fault = self._chance.choice(faults)
        self.met[fault] += 1
        return fault


class StormyConnection(CountedConnection):
    """Counts its writes, of which some fail."""

    weather: Weather

    async def _raw(self, method: str, path: str, query: Query | None, *more: Any) -> bytes:
        match self.weather.brings(ANSWERS):
            case "error":
                raise ApiError(500, "InternalError", "etcdserver: leader changed")
            case "throttled":
                raise ApiError(429, "TooManyRequests", "try later", retry_after_seconds=0.2)
            case "silence":
                raise ApiUnreachableError(f"{method} {path}: nobody answers")
            case "lost answer":
                await super()._raw(method, path, query, *more)
                raise ApiUnreachableError(f"{method} {path}: the answer got lost")
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
        return await super()._raw(method, path, query, *more)

    @asynccontextmanager
    async def stream(self, path: str, query: Query, silent_seconds: float) -> AsyncIterator[AsyncIterator[Json]]:
        async with super().stream(path, query, silent_seconds) as events:
            yield self._torn(events)

    async def _torn(self, events: AsyncIterator[Json]) -> AsyncIterator[Json]:
        async for event in events:
            match self.weather.brings(TORN):
                case "expired":
                    raise ApiError(410, "Expired", "too old resource version")
                case "dropped":
                    raise ApiUnreachableError("the connection was reset")
                case "repeated":
                    yield event
            yield event


def in_a_storm() -> tuple[Weather, type[StormyConnection]]:
    weather = Weather()
    return weather, type("InAStorm", (StormyConnection,), {"weather": weather})


async def _uids(world: World) -> set[str]:
    return {pod["metadata"]["uid"] for pod in await world.of_model(resources.PODS)}


async def test_in_a_storm_a_fleet_that_nobody_edits_is_left_as_it_is(world: World) -> None:
    async with operator(world.credentials):
        await world.create(3)
        await world.until_settled(3)
        before = await _uids(world)
    weather, kind = in_a_storm()
    async with operator(world.credentials, kind=kind) as doubting:
        await asyncio.sleep(STORM_SECONDS)
        weather.share = 0.0
        await doubting.queue.wait_until_idle()
        await world.until_settled(3)
        assert doubting.line.writes == []
    assert weather.met
    assert await _uids(world) == before


@pytest.mark.timeout(300)
async def test_through_a_storm_every_edit_is_brought_about_and_no_replica_is_taken_too_early(world: World) -> None:
    weather, kind = in_a_storm()
    async with operator(world.credentials, kind=kind) as shaken, _fewest_ready(world) as fewest:
        await world.create(2)
        await world.until(lambda: _ready(world, 2), "two replicas", 120)
        fewest.clear()
        for edit in (
            {"replicas": 5},
            {"engine": {"name": "simulated", "image": "localhost/simulated:2"}},
            {"replicas": 3},
            {"engine": {"name": "simulated", "image": "localhost/simulated:3"}, "replicas": 2},
        ):
            await world.edit(**edit)
            await asyncio.sleep(STORM_SECONDS)
        weather.share = 0.0
        await world.until(lambda: world.settled(2), "two replicas of the last revision", 120)
        await world.until(lambda: _writes_no_more(shaken), "what is settled is written no more")
        assert await world.settled(2)
    assert set(weather.met) == {*ANSWERS, *TORN}
    assert min(fewest) >= 2
    assert len(await world.of_model(resources.CONTROLLER_REVISIONS)) == 3, "no revision was made twice"


async def _writes_no_more(shaken: OperatorUnderTest) -> bool:
    """A watch that was torn comes back a while after the storm, so the last write may too."""
    writes = len(shaken.line.writes)
    await asyncio.sleep(QUIET_SECONDS)
    return len(shaken.line.writes) == writes


async def _ready(world: World, count: int) -> bool:
    return len(await world.taking_traffic()) >= count


@asynccontextmanager
async def _fewest_ready(world: World) -> AsyncIterator[list[int]]:
    """How many replicas serve, looked at again and again."""
    seen: list[int] = []

    async def look() -> None:
        while True:
            if world.name:
                seen.append(len(await world.taking_traffic()))
            await asyncio.sleep(0.05)

    async with working(look()):
        yield seen
