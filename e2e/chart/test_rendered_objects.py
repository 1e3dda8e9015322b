"""A real API server takes every object that the chart renders, field by field."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.chart.release import CHART, Release
from e2e.running_cluster import RunningCluster

pytestmark = pytest.mark.e2e

VALUE_SETS = sorted((Path(__file__).parents[2] / "tests" / "unit" / "chart" / "values").glob("*.yaml"))
TEAMS = ("team-a", "team-b")


@pytest.fixture(scope="module", autouse=True)
def teams(cluster: RunningCluster) -> None:
    for team in TEAMS:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team}})


def known(rendered: str) -> list[dict[str, Any]]:
    """Without the kinds of Prometheus' operator, which is not in this cluster."""
    objects = [one for one in yaml.safe_load_all(rendered) if one]
    return [one for one in objects if not one["apiVersion"].startswith("monitoring.coreos.com/")]


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_the_api_server_takes_what_is_rendered_and_knows_every_field(
    values: Path, release: Release, tmp_path: Path
) -> None:
    answer: subprocess.CompletedProcess[str] = release.run(
        "template", "rendered", str(CHART), "--values", str(values), "--kube-version=1.35.0"
    )
    assert answer.returncode == 0, answer.stderr
    manifest = tmp_path / "rendered.yaml"
    manifest.write_text(yaml.safe_dump_all(known(answer.stdout)))
    said = release.namespace.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", f"--filename={manifest}")
    assert "deployment.apps/" in said
