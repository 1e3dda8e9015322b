"""The operator is killed at each of its writes while weights are inspected, fetched and put to use."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stoker.api.configuration import Configuration
from stoker.core.names import claim_name
from stoker.kube import resources
from tests.integration.killed_at_every_write import at_every_write, until_killed_or
from tests.integration.operator_under_test import Line, operator
from tests.integration.world import STORAGE_CLASS, World, fetches, inhabited, make_storage_class, make_volume
from tests.unit.plan.fetching import IMAGE

CONFIGURATION = Configuration.model_validate({"runtime": {"image": IMAGE}}, strict=False)


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig, fetches) as made:
        await make_storage_class(made.connection)
        yield made


@pytest.mark.timeout(900)
async def test_killed_at_any_write_nothing_is_fetched_twice_and_the_model_serves(world: World) -> None:
    async def one_round(there: World, line: Line) -> None:
        await make_volume(there.connection, f"{there.namespace}-{line.kill_at}")
        await there.create(
            2,
            model={"source": "hf://org/name@main"},
            weights={
                "storage": {"claim": {"storageClassName": STORAGE_CLASS, "accessModes": ["ReadWriteMany"]}},
                "deletionPolicy": "Delete",
            },
        )
        async with operator(there.credentials, line, CONFIGURATION, namespace=there.namespace):
            await until_killed_or(line, lambda: there.settled(2))
        if line.killed.is_set():
            async with operator(there.credentials, configuration=CONFIGURATION, namespace=there.namespace):
                await there.until_settled(2)
        jobs = [job for job in there.node.ran if job.namespace == there.namespace and job.name.startswith(there.name)]
        assert len(jobs) == len(set(jobs)) == 2, (line.kill_at, jobs)
        assert len(await there.of_model(resources.CONTROLLER_REVISIONS)) == 1
        claims = await there.of_model(resources.CLAIMS)
        assert [claim["metadata"]["name"] for claim in claims] == [claim_name(there.name)]
        await there.delete()

    await at_every_write(world, one_round)
