"""What somebody does with helm: install, test, upgrade, roll back, uninstall, install again."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.chart.completion import completes, wait_until_it_completes
from e2e.chart.release import CHART, DEPLOYMENT, Release
from e2e.operator.conftest import Models
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

OTHER_DEFAULTS = {"pods": {"startupSeconds": 600, "sharedMemory": "1Gi"}, "log": {"level": "debug"}}


def test_a_fresh_install_comes_up_restricted_with_one_leader_and_passes_its_own_test(
    release: Release, figure: Callable[[str, float], None]
) -> None:
    began = time.monotonic()
    release.install()
    figure("helm install of the chart until two operators are Ready", time.monotonic() - began)
    assert len(release.operators()) == 2
    until(lambda: release.leader() != "", "a leader")
    assert any(release.leader().startswith(name) for name in release.operators())
    answer = release.test()
    assert answer.returncode == 0, answer.stdout + answer.stderr
    # Once more, beside what the first one left; and what it said can be read.
    answer = release.test("--logs")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "operator:" in answer.stdout
    assert "model stoker-test:" in answer.stdout
    left = release.namespace.json("get", "serviceaccounts,roles,rolebindings")
    assert "stoker-test" not in [one["metadata"]["name"] for one in left["items"]]


def test_a_model_becomes_ready_completes_and_is_called_by_helm_test(
    release: Release, models: Models, figure: Callable[[str, float], None]
) -> None:
    release.install()
    began = time.monotonic()
    models.create(replicas=2)
    models.wait_ready()
    figure("simulated engine under the chart's operator, from creation to Ready", time.monotonic() - began)
    wait_until_it_completes(models)
    operators = release.operators()
    named = {"simulated": {"enabled": False}, "model": {"name": "web", "namespace": models.namespace.name}}
    release.install({"test": named})
    assert release.operators() == operators
    answer = release.test()
    assert answer.returncode == 0, answer.stdout + answer.stderr
    release.install({"test": named | {"model": {"name": "absent", "namespace": models.namespace.name}}})
    assert release.test().returncode != 0
    assert "http://absent." in release.namespace.kubectl("logs", "pod/stoker-test")


def chart_before(folder: Path) -> Path:
    """Of another version, which stands in labels of all that the release has."""
    chart = shutil.copytree(CHART, folder / "before")
    about = (chart / "Chart.yaml").read_text(encoding="utf-8")
    (chart / "Chart.yaml").write_text(re.sub(r"(?m)^(version|appVersion): .*$", r"\1: 0.0.1", about))
    return chart


def test_an_upgrade_from_the_chart_before_with_other_defaults_and_a_rollback_restart_the_operator_and_no_model(
    release: Release, models: Models, tmp_path: Path
) -> None:
    release.install(chart=chart_before(tmp_path))
    models.create(replicas=2)
    models.wait_settled()
    operators, pods = release.operators(), models.pods()
    release.install({"configuration": OTHER_DEFAULTS})
    models.wait_for_reason("UpdateAvailable", "NewerDefaults", seconds=90)
    assert not set(release.operators()) & set(operators)
    assert models.pods() == pods
    release.rollback()
    models.wait_for_reason("UpdateAvailable", "UpToDate", seconds=90)
    assert models.pods() == pods


def test_an_uninstall_leaves_models_serving_and_the_next_install_takes_them_up(
    release: Release, models: Models
) -> None:
    release.install()
    models.create(replicas=2)
    models.wait_settled()
    pods, key = models.pods(), release.key()
    release.uninstall()
    until(lambda: not release.operators(), "no operator")
    assert models.pods() == pods
    assert all(completes(models) for _ in range(10))
    release.install()
    models.namespace.kubectl("scale", "mdep/web", "--replicas=3")
    until(lambda: len(models.pods()) == 3, "the third replica, by the new operator", 90)
    assert pods.items() <= models.pods().items()
    assert release.key() == key


def test_a_configuration_that_the_operator_refuses_leaves_the_one_that_runs_alone(release: Release) -> None:
    release.install()
    operators = release.operators()
    never = {"leadership": {"leaseSeconds": 5, "renewDeadlineSeconds": 9}}
    assert release.try_install({"configuration": never}, seconds=15).returncode != 0
    assert release.operators() == operators
    until(lambda: "renewDeadlineSeconds" in release.logs(), "what the new one says", 60)
    release.install()
    release.namespace.kubectl("rollout", "status", DEPLOYMENT, "--timeout=60s")


def test_draining_a_node_is_not_held_up_by_the_operator(release: Release) -> None:
    release.install()
    budget = release.namespace.json("get", "poddisruptionbudget/stoker-operator")
    until(
        lambda: release.namespace.json("get", "pdb/stoker-operator")["status"]["disruptionsAllowed"] == 1,
        "a budget that allows one",
    )
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
