"""The operator is killed before and after each of its writes while weights are inspected, fetched and put to use."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from stoker.api.configuration import Configuration
from stoker.core.names import claim_name
from stoker.kube import resources
from tests.integration.operator_under_test import Line, OperatorUnderTest, operator
from tests.integration.world import (
    STORAGE_CLASS,
    WAIT_SECONDS,
    World,
    fetches,
    inhabited,
    make_storage_class,
    make_volume,
    prepare,
)
from tests.unit.plan.fetching import IMAGE

MOST_WRITES = 40
ROUNDS_AT_ONCE = 8
CONFIGURATION = Configuration.model_validate({"runtime": {"image": IMAGE}}, strict=False)


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig, fetches) as made:
        await make_storage_class(made.connection)
        yield made


@pytest.mark.timeout(900)
async def test_killed_at_any_write_nothing_is_fetched_twice_and_the_model_serves(world: World) -> None:
    places = [f"fetch-{index}" for index in range(ROUNDS_AT_ONCE)]
    await asyncio.gather(*(prepare(world.connection, place) for place in places))
    # Each moment twice: before the write reaches the API server, and before its answer is known.
    moments = [(number, after) for number in range(MOST_WRITES) for after in (False, True)]
    for first in range(0, len(moments), ROUNDS_AT_ONCE):
        batch = zip(places, moments[first : first + ROUNDS_AT_ONCE], strict=True)
        killed = await asyncio.gather(
            *(_round(replace(world, namespace=place), number, after=after) for place, (number, after) in batch)
        )
        if not all(killed):
            assert first > ROUNDS_AT_ONCE
            return
    raise AssertionError(f"still writing after {MOST_WRITES} writes")


async def _round(world: World, kill_at: int, *, after: bool) -> bool:
    """Whether there was such a write; that the next operator finished the work is asserted."""
    await make_volume(world.connection, f"{world.namespace}-{kill_at}-{after}".lower())
    await world.create(
        2,
        model={"source": "hf://org/name@main"},
        weights={
            "storage": {"claim": {"storageClassName": STORAGE_CLASS, "accessModes": ["ReadWriteMany"]}},
            "deletionPolicy": "Delete",
        },
    )
    line = Line(kill_at, after=after)
    async with operator(world.credentials, line, CONFIGURATION, namespace=world.namespace) as doomed:
        await _until_killed_or_settled(world, doomed)
    if line.killed.is_set():
        async with operator(world.credentials, configuration=CONFIGURATION, namespace=world.namespace):
            await world.until_settled(2)
    jobs = [job for job in world.node.ran if job.namespace == world.namespace and job.name.startswith(world.name)]
    assert len(jobs) == len(set(jobs)) == 2, (kill_at, after, jobs)
    assert len(await world.of_model(resources.CONTROLLER_REVISIONS)) == 1
    claims = await world.of_model(resources.CLAIMS)
    assert [claim["metadata"]["name"] for claim in claims] == [claim_name(world.name)]
    await world.delete()
    return line.killed.is_set()


async def _until_killed_or_settled(world: World, doomed: OperatorUnderTest) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not doomed.line.killed.is_set() and not await world.settled(2):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
