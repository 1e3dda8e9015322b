"""Which replica goes when there is one too many, while another one flaps."""

import asyncio
import random
from dataclasses import replace

import pytest

from stoker.kube import resources
from tests.integration.operator_under_test import operator
from tests.integration.world import World, prepare

TRIALS_AT_ONCE = 8
TRIALS_EACH = 13


@pytest.mark.timeout(600)
async def test_of_a_hundred_removals_each_takes_the_chosen_replica_and_no_other(world: World) -> None:
    """While another one flaps, which is what a ReplicaSet would take instead. A replacement that the ReplicaSet makes
    between Stoker's two writes must not be ready before the second: no model server is that fast."""
    world.node.start_seconds = 3.0
    places = [f"trial-{index}" for index in range(TRIALS_AT_ONCE)]
    await asyncio.gather(*(prepare(world.connection, place) for place in places))
    trials = (_removals(replace(world, namespace=place), random.Random(place)) for place in places)  # noqa: S311
    assert sum(await asyncio.gather(*trials)) >= 100


async def _removals(world: World, chance: random.Random) -> int:
    async with operator(world.credentials, namespace=world.namespace):
        await world.create(4)
        await world.until_settled(4)
        for _ in range(TRIALS_EACH):
            before = await world.pods()
            flapping = chance.choice(sorted(before))
            trouble = chance.choice(["none", "flaps before", "flaps after"])
            if trouble == "flaps before":
                world.node.becomes(flapping, well=False)
            detached = await _removed_one(world, before, flapping if trouble == "flaps after" else None)
            assert len(detached) == 1
            gone = before - await world.pods()
            assert gone == detached, f"{flapping} {trouble}; left by now: {before & world.node.drained}"
            world.node.becomes(flapping, well=True)
            await world.edit(replicas=4)
            await world.until_settled(4)
        await world.delete()
    return TRIALS_EACH


async def _removed_one(world: World, before: set[str], then_flaps: str | None) -> set[str]:
    """The pods that were taken off traffic while one replica was removed."""
    await world.edit(replicas=3)
    if then_flaps:
        world.node.becomes(then_flaps, well=False)

    async def done() -> bool:
        if not before & world.node.drained:
            return False
        counts = [one["spec"]["replicas"] for one in await world.of_model(resources.REPLICA_SETS)]
        return counts == [3] and len(await world.pods()) == 3

    await world.until(done, "the removal")
    return before & world.node.drained
