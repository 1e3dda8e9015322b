"""The operator is killed before and after each of its writes while weights are inspected, fetched and put to use."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from stoker.api.configuration import Configuration
from stoker.core.names import claim_name
from stoker.kube import resources
from stoker.kube.connection import Connection, credentials_from
from tests.integration.operator_under_test import LAST_TURNS_SECONDS, NAMESPACE, Line, OperatorUnderTest, operator
from tests.integration.toy_node import ToyNode
from tests.integration.world import WAIT_SECONDS, World, prepare
from tests.unit.plan.fetching import FETCHED, IMAGE, INSPECTED

MOST_WRITES = 40
ROUNDS_AT_ONCE = 8
STORAGE_CLASS = "toy"
CONFIGURATION = Configuration.model_validate({"runtime": {"image": IMAGE}}, strict=False)


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    found = await credentials_from(kubeconfig)
    async with Connection.open(found) as connection:
        await prepare(connection, NAMESPACE)
        node = ToyNode(connection)
        node.last_words = {"inspect": json.dumps(INSPECTED), "fetch": json.dumps(FETCHED)}
        async with node.running():
            made = World(connection, node, lambda: found)
            await _make_storage_class(made)
            yield made
    await asyncio.sleep(LAST_TURNS_SECONDS)


async def _make_storage_class(world: World) -> None:
    body = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
    }
    await world.connection.post("/apis/storage.k8s.io/v1/storageclasses", body)


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
    await _make_volume(world, f"{world.namespace}-{kill_at}-{after}".lower())
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


async def _make_volume(world: World, name: str) -> None:
    spec = {
        "capacity": {"storage": "1Ti"},
        "accessModes": ["ReadWriteMany"],
        "hostPath": {"path": "/nowhere"},
        "storageClassName": STORAGE_CLASS,
    }
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    await world.connection.post("/api/v1/persistentvolumes", body)


async def _until_killed_or_settled(world: World, doomed: OperatorUnderTest) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not doomed.line.killed.is_set() and not await world.settled(2):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
