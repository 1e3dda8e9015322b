"""The operator is killed wherever it writes, and the next one finishes the work."""

from collections.abc import Awaitable, Callable

import pytest

from stoker.kube import resources
from tests.integration.killed_at_every_write import at_every_write, until_killed_or
from tests.integration.operator_under_test import Line, operator
from tests.integration.world import World

Change = Callable[[World], Awaitable[None]]


async def _edited(world: World) -> None:
    await world.edit(engine={"name": "simulated", "image": "localhost/simulated:2"})


async def _scaled_down(world: World) -> None:
    await world.edit(replicas=1)


async def _scaled_up(world: World) -> None:
    await world.edit(replicas=5)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("change", "replicas"),
    [(None, 3), (_edited, 3), (_scaled_down, 1), (_scaled_up, 5)],
    ids=["create", "edit", "scale-down", "scale-up"],
)
async def test_killed_at_every_write_the_next_one_finishes_the_work(
    world: World, change: Change | None, replicas: int
) -> None:
    async def one_round(there: World, line: Line) -> None:
        if change is None:
            await there.create(3)
        else:
            async with operator(there.credentials, namespace=there.namespace):
                await there.create(3)
                await there.until_settled(3)
            await change(there)
        async with operator(there.credentials, line, namespace=there.namespace):
            await until_killed_or(line, lambda: there.settled(replicas))
        if line.killed.is_set():
            async with operator(there.credentials, namespace=there.namespace):
                await there.until_settled(replicas)
        revisions = await there.of_model(resources.CONTROLLER_REVISIONS)
        assert len(revisions) == (2 if change is _edited else 1)
        await there.delete()

    await at_every_write(world, one_round)
