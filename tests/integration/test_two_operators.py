"""Two Stokers that both believe to be alone, such as two releases of the chart that watch the same namespaces."""

import asyncio
from typing import Any

import pytest

from stoker.api.configuration import Configuration
from stoker.kube import resources
from tests.integration.operator_under_test import OperatorUnderTest, operator
from tests.integration.world import World

HURRY: dict[str, Any] = {"rollouts": {"provingSeconds": 0}}
# Which fields of the configuration do they disagree about, and so fight over what?
DISAGREEMENTS: dict[str, dict[str, Any]] = {
    "the status": {"pods": {"startupSeconds": 99}},
    "a count": {"limits": {"maxReplicas": 1}},
    "what there should be": {"network": {"policy": False}},
    "what it should say": {"network": {"clients": [{"matchLabels": {"a": "b"}}]}},
}
CALM_SECONDS = 3.0
WATCHED_SECONDS = 5.0
# A status now and then, and what is missing once a minute, from each.
MOST_WRITES = 6


@pytest.mark.parametrize("about", DISAGREEMENTS)
async def test_two_that_disagree_say_so_and_leave_it(world: World, about: str) -> None:
    configurations = [Configuration.model_validate(HURRY | other, strict=False) for other in ({}, DISAGREEMENTS[about])]
    async with operator(world.credentials, configuration=configurations[0]) as one:
        await world.create(2)
        await world.until_settled(2)
        async with operator(world.credentials, configuration=configurations[1], version="2.0.0") as other:
            await world.until(lambda: _contested(world), "the contest")
            await asyncio.sleep(CALM_SECONDS)
            before = _writes(one, other)
            await asyncio.sleep(WATCHED_SECONDS)
            assert _writes(one, other) - before <= MOST_WRITES, (one.line.writes[-9:], other.line.writes[-9:])


def _writes(*operators: OperatorUnderTest) -> int:
    return sum(len(one.line.writes) for one in operators)


async def _contested(world: World) -> bool:
    conditions = (await world.model())["status"]["conditions"]
    return any((one["type"], one["reason"]) == ("Stalled", "Contested") for one in conditions)


async def test_two_that_agree_bring_one_model_about(world: World) -> None:
    async with operator(world.credentials) as one, operator(world.credentials) as other:
        await world.create(3)
        await world.until_settled(3)
        await world.edit(engine={"name": "simulated", "image": "localhost/simulated:2"})
        await world.until_settled(3)
        await world.edit(replicas=1)
        await world.until_settled(1)
        assert len(await world.of_model(resources.CONTROLLER_REVISIONS)) == 2
        quiet = _writes(one, other)
        await asyncio.sleep(1.0)
        assert _writes(one, other) == quiet
