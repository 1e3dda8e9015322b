"""Replicas of several pods on a real API server, with the real StatefulSet controller and garbage collector.

The LeaderWorkerSet controller is a stand-in: toy_groups.py says of what.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from stoker.core.names import DRAINING_SINCE, PROTECTION, leader_name
from stoker.handlers.process import has_leader_worker_sets
from stoker.kube import resources
from stoker.kube.connection import Connection, credentials_from
from tests.integration.api_server import ApiServer
from tests.integration.killed_at_every_write import at_every_write, until_killed_or
from tests.integration.operator_under_test import NAMESPACE, Line, operator
from tests.integration.world import World, inhabited, says_settled

GROUPS = resources.LEADER_WORKER_SETS
PODS_EACH = 2
# The garbage collector learns of a new kind within half a minute.
PATIENT_SECONDS = 120.0


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig, with_groups=True) as made:
        yield made


def engine(stages: int = PODS_EACH, image: str = "localhost/simulated:1") -> dict[str, Any]:
    return {"name": "simulated", "image": image, "pipelineParallel": stages}


async def settled(world: World, replicas: int, pods_each: int = PODS_EACH) -> bool:
    model = await world.model()
    if not says_settled(model, replicas):
        return False
    pods, groups = await world.of_model(resources.PODS), await world.of_model(GROUPS)
    return (
        len(await world.pods()) == replicas
        and model["status"].get("accelerators") == len(pods) == replicas * pods_each
        and len(groups) == (replicas if pods_each > 1 else 0)
        # A worker may be the last to be ready, of which no number tells.
        and not any(PROTECTION.keys() & pod["metadata"].get("annotations", {}).keys() for pod in pods)
    )


async def until_settled(world: World, replicas: int, pods_each: int = PODS_EACH) -> None:
    await world.until(
        lambda: settled(world, replicas, pods_each), f"{replicas} replicas of {pods_each}", PATIENT_SECONDS
    )


async def uids(world: World) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in await world.of_model(resources.PODS)}


async def test_the_api_is_looked_for_where_it_is_and_where_it_is_not(world: World, api: ApiServer) -> None:
    assert await has_leader_worker_sets(world.connection, ()) is True
    assert await has_leader_worker_sets(world.connection, (NAMESPACE,)) is True
    async with Connection.open(await credentials_from(api.kubeconfig)) as without:
        assert await has_leader_worker_sets(without, ()) is False


async def test_replicas_of_two_pods_become_ready_and_a_second_look_writes_nothing(world: World) -> None:
    async with operator(world.credentials, has_groups=True):
        await world.create(2, engine=engine())
        await until_settled(world, 2)
        leaders = {leader_name(group["metadata"]["name"]) for group in await world.of_model(GROUPS)}
        assert await world.pods() == leaders, "the others have no tier, so no Service sends them anything"
    async with operator(world.credentials, has_groups=True) as second:
        await second.queue.wait_until_idle()
        await asyncio.sleep(2)
        assert second.line.writes == []


async def test_scaling_down_takes_the_group_that_does_not_serve_and_no_other(world: World) -> None:
    async with operator(world.credentials, has_groups=True):
        await world.create(3, engine=engine())
        await until_settled(world, 3)
        before = await uids(world)
        unwell = min(await world.pods())
        world.node.becomes(unwell, well=False)

        async def seen() -> bool:
            return bool((await world.model())["status"]["readyReplicas"] == 2)

        await world.until(seen, "the loss")
        await world.edit(replicas=2)
        await until_settled(world, 2)
        after = await uids(world)
        assert after == {name: uid for name, uid in before.items() if not name.startswith(unwell)}
        assert unwell in world.node.drained, "it was taken off traffic before it went"


async def test_a_worker_that_dies_costs_its_own_group_a_new_start_and_no_other(world: World) -> None:
    async with operator(world.credentials, has_groups=True):
        await world.create(2, engine=engine())
        await until_settled(world, 2)
        before = await uids(world)
        worker = min(before.keys() - await world.pods())
        group = worker.removesuffix("-0-1")
        await world.connection.delete(resources.PODS.path(resources.Key(NAMESPACE, worker)), {})

        async def anew() -> bool:
            found = await uids(world)
            return all((found.get(name) != uid) == name.startswith(group) for name, uid in before.items())

        await world.until(anew, "the group", PATIENT_SECONDS)
        await until_settled(world, 2)
        assert group in {found["metadata"]["name"] for found in await world.of_model(GROUPS)}


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2), (2, 2)], ids=["to-one", "from-one", "to-another"])
async def test_a_rollout_between_shapes_keeps_as_many_ready_leaders_as_wanted(
    world: World, before: int, after: int
) -> None:
    async with operator(world.credentials, has_groups=True):
        await world.create(2, engine=engine(before))
        await until_settled(world, 2, before)
        old = await uids(world)
        await world.edit(engine=engine(after, "localhost/simulated:2"))
        fewest = 2

        async def over() -> bool:
            nonlocal fewest
            fewest = min(fewest, len(await world.taking_traffic()))
            return await settled(world, 2, after)

        await world.until(over, "the rollout", PATIENT_SECONDS)
        assert fewest == 2
        assert not set(old.values()) & set((await uids(world)).values())


async def test_a_deleted_model_takes_its_groups_and_their_pods_along(world: World) -> None:
    async with operator(world.credentials, has_groups=True):
        await world.create(2, engine=engine())
        await until_settled(world, 2)
        await world.delete()

        async def gone() -> bool:
            return not await world.of_model(GROUPS) and not await world.of_model(resources.PODS)

        async with asyncio.timeout(PATIENT_SECONDS):
            while not await gone():  # noqa: ASYNC110 - the cluster decides when
                await asyncio.sleep(0.05)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("to", [None, 1], ids=["create", "scale-down"])
async def test_killed_at_every_write_the_next_one_finishes_the_work(world: World, to: int | None) -> None:
    async def one_round(there: World, line: Line) -> None:
        kept: dict[str, str] = {}
        if to is None:
            await there.create(2, engine=engine())
        else:
            async with operator(there.credentials, namespace=there.namespace, has_groups=True):
                await there.create(2, engine=engine())
                await until_settled(there, 2)
            kept = await uids(there)
            await there.edit(replicas=to)
        async with operator(there.credentials, line, namespace=there.namespace, has_groups=True):
            await until_killed_or(line, lambda: settled(there, to or 2))
        if line.killed.is_set():
            async with operator(there.credentials, namespace=there.namespace, has_groups=True):
                await until_settled(there, to or 2)
        if kept:
            found = await uids(there)
            assert found.items() <= kept.items(), "what stayed was not touched"
            groups = await there.of_model(GROUPS)
            assert not any(DRAINING_SINCE in group["metadata"].get("annotations", {}) for group in groups)
        await there.delete()

    await at_every_write(world, one_round)
