"""A real API server takes every object that the chart renders, field by field."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from e2e.chart.release import CHART, Release
from e2e.cluster.build import build_environment
from e2e.cluster.toolchain import find_go
from e2e.running_cluster import RunningCluster

pytestmark = pytest.mark.e2e

VALUE_SETS = sorted((Path(__file__).parents[2] / "tests" / "unit" / "chart" / "values").glob("*.yaml"))
TEAMS = ("team-a", "team-b")
DEFINITIONS = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
DEFINITIONS_SUM = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="


@pytest.fixture(scope="module", autouse=True)
def teams(cluster: RunningCluster) -> None:
    for team in TEAMS:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": team}})


@pytest.fixture(scope="module", autouse=True)
def prometheus_operator(cluster: RunningCluster) -> None:
    """Its definitions, as released."""
    answer = subprocess.run(
        [find_go().executable, "mod", "download", "-json", DEFINITIONS],
        cwd="/",
        env=build_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    module = json.loads(answer.stdout)
    assert module.get("Sum") == DEFINITIONS_SUM, answer.stdout + answer.stderr
    folder = Path(module["Dir"], "example", "prometheus-operator-crd")
    for kind in ("servicemonitors", "podmonitors", "prometheusrules"):
        file = folder / f"monitoring.coreos.com_{kind}.yaml"
        cluster.kubectl("apply", "--server-side", f"--filename={file}")
        cluster.kubectl("wait", "--for=condition=Established", f"--filename={file}", "--timeout=30s")


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_the_api_server_takes_what_is_rendered_and_knows_every_field(
    values: Path, release: Release, tmp_path: Path
) -> None:
    answer: subprocess.CompletedProcess[str] = release.run(
        "template", "rendered", str(CHART), "--values", str(values), "--kube-version=1.35.0"
    )
    assert answer.returncode == 0, answer.stderr
    for rendered in filter(None, yaml.safe_load_all(answer.stdout)):
        if rendered["kind"] == "ServiceAccount":  # a pod is refused where its account is not there
            release.namespace.cluster.apply(rendered)
    manifest = tmp_path / "rendered.yaml"
    manifest.write_text(answer.stdout)
    said = release.namespace.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", f"--filename={manifest}")
    assert "deployment.apps/" in said
