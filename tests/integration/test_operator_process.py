"""Operators as processes of their own, on a real API server."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.control_plane import ControlPlane, control_plane
from e2e.operator_process import OperatorProcess
from stoker.kube.connection import Connection, credentials_from
from stoker.kube.resources import MODEL_DEPLOYMENTS, Key
from tests.integration.operator_under_test import LAST_TURNS_SECONDS, NAMESPACE
from tests.integration.world import prepare

# A lease that is not given back lasts for 15.
LONGEST_HANDOVER_SECONDS = 12.0
STOPS = 4


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    file = tmp_path / "configuration.yaml"
    file.write_text(yaml.safe_dump({"probes": {"port": 0}}))
    return file


@pytest.fixture
def plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """Without controllers. Operators find it by KUBECONFIG."""
    with control_plane(kubebuilder_assets(), tmp_path / "plane") as made:
        monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig))
        yield made


@pytest.fixture
async def connection(plane: ControlPlane) -> AsyncIterator[Connection]:
    async with Connection.open(await credentials_from(plane.kubeconfig)) as opened:
        await prepare(opened, NAMESPACE, with_controllers=False)
        yield opened
    await asyncio.sleep(LAST_TURNS_SECONDS)


@pytest.mark.usefixtures("connection")
async def test_a_leader_that_is_told_to_stop_makes_way_at_once(configuration: Path, tmp_path: Path) -> None:
    with OperatorProcess(configuration, tmp_path / "first.log") as first:
        await first.leads()
        with OperatorProcess(configuration, tmp_path / "second.log") as second:
            await second.stands_by()
            told = time.monotonic()
            first.stop()
            await second.leads()
            assert time.monotonic() - told < LONGEST_HANDOVER_SECONDS
    assert "released lease" in (tmp_path / "first.log").read_text()


async def test_an_operator_that_is_told_to_stop_ends_however_fast_models_change(
    configuration: Path, tmp_path: Path, connection: Connection
) -> None:
    """kopf waits for ever for its own helpers where they are cancelled together with it."""
    paths = [await _suspended_model(connection, f"busy-{number}") for number in range(6)]
    changing = asyncio.create_task(_change_without_end(connection, paths))
    for number in range(STOPS):
        with OperatorProcess(configuration, tmp_path / f"{number}.log") as process:
            await process.leads()
            await asyncio.sleep(0.1 * number)
            # It raises where the process does not end within half a minute.
            await asyncio.to_thread(process.stop)
    changing.cancel()
    await asyncio.wait({changing})


@pytest.mark.timeout(300)
async def test_an_api_server_that_is_away_ends_its_leader_once_and_is_served_again_when_it_is_back(
    configuration: Path, tmp_path: Path, plane: ControlPlane
) -> None:
    credentials = await credentials_from(plane.kubeconfig)
    async with Connection.open(credentials) as connection:
        await prepare(connection, NAMESPACE, with_controllers=False)
    with ExitStack() as leaving:
        first = leaving.enter_context(OperatorProcess(configuration, tmp_path / "first.log"))
        await first.leads()
        with plane.outage():
            await asyncio.to_thread(first.wait_for_end, 60)
            # As its node would. There must be no loop of such starts.
            second = leaving.enter_context(OperatorProcess(configuration, tmp_path / "second.log"))
            await second.stands_by()
            await asyncio.sleep(3)
            assert second.lives
        await second.leads()
        async with Connection.open(credentials) as connection, asyncio.timeout(60):
            path = await _suspended_model(connection, "after")
            while not (await connection.get(path)).get("status", {}).get("observedGeneration"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    await asyncio.sleep(LAST_TURNS_SECONDS)


async def _suspended_model(connection: Connection, name: str) -> str:
    manifest = {
        "apiVersion": "stoker.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"model": {"source": "pvc://weights/tiny"}, "suspend": True, "scaling": {"maxReplicas": 1}},
    }
    await connection.post(MODEL_DEPLOYMENTS.collection(NAMESPACE), manifest)
    return MODEL_DEPLOYMENTS.path(Key(NAMESPACE, name))


async def _change_without_end(connection: Connection, paths: list[str]) -> None:
    for number in itertools.count():
        for path in paths:
            await connection.merge_patch(path, {"metadata": {"annotations": {"change": str(number)}}})
        await asyncio.sleep(0.05)
