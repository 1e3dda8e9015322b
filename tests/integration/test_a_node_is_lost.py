"""Nodes that go. One is lost in the middle of a download: the real job controller makes no other pod before somebody
says how the first one ended, and nobody is left to say it. One is taken back, and says so before."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stoker.api.configuration import Configuration
from stoker.core.names import TASK_LABEL
from stoker.core.plan.fetch import answers
from stoker.kube import resources
from stoker.kube.connection import ApiError
from stoker.kube.resources import Key
from tests.integration.operator_under_test import NAMESPACE, operator
from tests.integration.toy_node import NODE, ToyNode
from tests.integration.world import World, fetches, inhabited
from tests.unit.plan.fetching import IMAGE

CONFIGURATION = Configuration.model_validate({"runtime": {"image": IMAGE}}, strict=False)


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig, fetches) as made:
        yield made


@pytest.mark.timeout(300)
async def test_the_download_goes_on_elsewhere(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "POD_OVERDUE", timedelta(seconds=5))
    shared = {"storage": {"existingClaim": {"name": "weights"}}}
    async with operator(world.credentials, configuration=CONFIGURATION):
        world.node.task_seconds = {"fetch": 3600.0}
        await world.create(1, model={"source": "hf://org/name@main"}, weights=shared)
        await world.until(lambda: _is_fetched_on(world, NODE), "the download")
        await world.node.dies(heir="heir")
        (lost,) = await _fetching(world)
        # As whoever evicts what stands on a node that does not answer.
        path = resources.PODS.path(Key(NAMESPACE, lost["metadata"]["name"]))
        await world.connection.delete(path, {"gracePeriodSeconds": 1})
        await world.until(lambda: _is_fetched_on(world, "heir"), "the download on another node")
        still_there = await world.connection.get(path)
        assert "deletionTimestamp" in still_there["metadata"], "nobody has said that it ended"


async def test_a_node_that_is_taken_back_is_left_for_replicas_that_serve_already(world: World) -> None:
    fewest = 2
    async with operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
        before = await world.pods()
        async with ToyNode(world.connection, "elsewhere").running():
            await world.node.is_tainted("karpenter.sh/disrupted")

            async def all_are_elsewhere() -> bool:
                nonlocal fewest
                nodes = [pod["spec"]["nodeName"] for pod in await world.taking_traffic()]
                fewest = min(fewest, len(nodes))
                return nodes == ["elsewhere"] * 2

            assert await _evicted(world, min(before)) == 429, (
                "the budget lets nothing go while there is another to come"
            )
            await world.until(all_are_elsewhere, "replacements")
            assert fewest == 2
            await world.until_settled(2)
            assert not before & await world.pods()


async def _evicted(world: World, name: str) -> int:
    """How the API server answers to whoever drains the node."""
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
    try:
        await world.connection.post(f"{resources.PODS.path(Key(NAMESPACE, name))}/eviction", body)
    except ApiError as refused:
        return refused.status
    return 201


async def _fetching(world: World) -> list[dict[str, Any]]:
    pods = await world.of_model(resources.PODS)
    return [pod for pod in pods if pod["metadata"]["labels"].get(TASK_LABEL) == "fetch"]


async def _is_fetched_on(world: World, node: str) -> bool:
    found = [pod for pod in await _fetching(world) if pod["spec"].get("nodeName") == node]
    return [pod["status"]["phase"] for pod in found] == ["Running"]
