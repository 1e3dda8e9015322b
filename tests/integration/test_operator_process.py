"""Operators as processes of their own, on a real API server."""

import asyncio
import time
from pathlib import Path

import pytest
import yaml

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.control_plane import control_plane
from e2e.operator_process import OperatorProcess
from stoker.kube.connection import Connection, credentials_from
from tests.integration.operator_under_test import LAST_TURNS_SECONDS, NAMESPACE
from tests.integration.world import prepare

# kopf alone takes five to end, and the lease is looked at every two.
LONGEST_HANDOVER_SECONDS = 4.0


async def test_a_leader_that_is_told_to_stop_makes_way_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = tmp_path / "configuration.yaml"
    configuration.write_text(yaml.safe_dump({"probes": {"port": 0}}))
    with control_plane(kubebuilder_assets(), tmp_path / "plane") as plane:
        monkeypatch.setenv("KUBECONFIG", str(plane.kubeconfig))
        async with Connection.open(await credentials_from(plane.kubeconfig)) as connection:
            await prepare(connection, NAMESPACE, with_controllers=False)
        with OperatorProcess(configuration, tmp_path / "first.log") as first:
            await first.leads()
            with OperatorProcess(configuration, tmp_path / "second.log") as second:
                await second.stands_by()
                told = time.monotonic()
                first.stop()
                await second.leads()
                assert time.monotonic() - told < LONGEST_HANDOVER_SECONDS
    assert "released lease" in (tmp_path / "first.log").read_text()
    await asyncio.sleep(LAST_TURNS_SECONDS)
