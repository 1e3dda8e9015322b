"""The number of replicas follows what a Prometheus scraped; while there is none, it stays, and says why."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from e2e.cluster.images import load_image
from e2e.cluster.namespace import processes_of
from e2e.images.build import build as build_image
from e2e.operator.conftest import ROOT, Models, Operators
from e2e.operator.streams import Load, with_agent
from e2e.operator.test_scaling_follows_the_load import ENGINE, SCALING, ready
from e2e.running_cluster import RunningCluster, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

OUTAGE_SECONDS = 120.0
STARTS = 6
PROMETHEUS = {"url": "http://100.82.0.1:9090", "intervalSeconds": 2, "timeoutSeconds": 4, "staleSeconds": 15}


def has_targets(cluster: RunningCluster) -> bool:
    answer = cluster.run("curl", "--silent", "--fail", f"{PROMETHEUS['url']}/api/v1/targets?state=active")
    return answer.returncode == 0 and bool(json.loads(answer.stdout)["data"]["activeTargets"])


def start_prometheus(cluster: RunningCluster) -> None:
    """What is missing of the cluster is started again. On a machine that is short of inotify instances, a Prometheus
    may find no targets for good; the next one may."""
    command = [sys.executable, "-m", "e2e.cluster", "up", "--name", cluster.layout.name]
    for _ in range(STARTS):
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        with suppress(AssertionError):
            until(lambda: has_targets(cluster), "targets", 10)
            return
        processes_of(cluster.layout).stop("prometheus")
    pytest.fail("Prometheus finds no targets: see its log, and fs.inotify.max_user_instances")


def test_replicas_follow_prometheus_hold_while_it_is_gone_and_go_when_it_is_back(
    models: Models, operators: Operators, figure: Callable[[str, float], None]
) -> None:
    cluster = operators.cluster
    load_image(cluster.layout, "simulated")
    engines = with_agent(build_image("simulated").reference)
    open_loop, users = Load(models, rate=3.0, output_tokens=100), Load(models, 0.0, 100, users=1)
    with operators.operator(engines=engines, signals={"prometheus": PROMETHEUS}):
        scaling = SCALING | {"source": "Prometheus"}
        models.create(replicas=1, engine=ENGINE, scaling=scaling, drain={"graceSeconds": 60})
        models.wait_ready(seconds=120)
        models.wait_for_reason("ScalingActive", "FollowingLoad", seconds=60)
        with users.running():
            began = time.monotonic()
            try:
                with open_loop.running():
                    until(lambda: ready(models) >= 2, "two replicas", 240)
                    figure("one to two replicas, by Prometheus", time.monotonic() - began)
                    processes_of(cluster.layout).stop("prometheus")
                    gone = time.monotonic()
                    message = models.wait_for_reason("ScalingActive", "LoadSourceDown", seconds=60)
                    figure("Prometheus gone until the condition says so", time.monotonic() - gone)
                    assert "Prometheus" in message
                    held = models.pods()
                while time.monotonic() < gone + OUTAGE_SECONDS:
                    time.sleep(2)
                    assert held.items() <= models.pods().items(), "a scaler that sees nothing takes nothing away"
            finally:
                start_prometheus(cluster)
            back = time.monotonic()
            models.wait_for_reason("ScalingActive", "FollowingLoad", seconds=90)
            figure("Prometheus back until the load is followed", time.monotonic() - back)
        # A model that was never measured keeps what it has as long as anybody uses it.
        quiet = time.monotonic()
        until(lambda: ready(models) == 1, "one replica", 180)
        figure("last request until one replica is left, by Prometheus", time.monotonic() - quiet)
    open_loop.assert_that_nobody_noticed()
    users.assert_that_nobody_noticed()
