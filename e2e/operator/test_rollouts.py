"""New revisions take over, or are given up, under streams, on full and on free GPUs, and no client sees it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import ROOT, Models, Operators
from e2e.operator.in_traffic import counted_in_traffic
from e2e.operator.streams import Load, with_agent
from e2e.operator.successive import Successive
from e2e.running_cluster import pod, until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

# 40 ms a token: a stream of 50 tokens lasts two seconds, longer than routing needs to forget a replica.
SPEED = ["--decode-base-ms", "40"]
STREAM_TOKENS = 50
RATE = 5.0
GRACE_SECONDS = 60
PATIENCE_SECONDS = 240
Figure = Callable[[str, float], None]


@pytest.fixture(scope="module")
def configuration(operators: Operators) -> dict[str, Any]:
    """No node is ever added here, so nothing is waited for long."""
    load_image(operators.cluster.layout, "simulated")
    return {"engines": with_agent(build_image("simulated").reference), "rollouts": {"surgeWaitSeconds": 5}}


@pytest.fixture(scope="module")
def operator(operators: Operators, configuration: dict[str, Any]) -> Iterator[Successive]:
    with Successive(operators, **configuration) as operator:
        yield operator


@dataclass
class Rollouts:
    """One model, and what its revisions do."""

    models: Models
    replicas: int
    name: str = "web"
    warm: int = 0

    def edit(self, version: str, *args: str, strategy: str = "Auto", **engine: Any) -> None:
        whole = {"name": "simulated", "image": None, "custom": None, "args": [*SPEED, *args]} | engine
        whole["env"] = [{"name": "VERSION", "value": version}]
        self.models.create(
            self.name,
            self.replicas,
            engine=whole,
            drain={"graceSeconds": GRACE_SECONDS},
            scaling={"maxReplicas": 8, "mode": "Off", "warmReplicas": self.warm},
            rollout={"strategy": strategy, "deadlineSeconds": 60},
        )

    def load(self) -> Load:
        """Once the first version is known to be good."""
        until(lambda: self.is_over() and bool(self.status().get("goodRevision")), "the first version", 120)
        return Load(self.models, RATE, STREAM_TOKENS, name=self.name)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.models.namespace.json("get", f"mdep/{self.name}").get("status", {})
        return found

    def told(self, reason: str) -> int:
        """How many Events of the model have this reason."""
        chosen = f"--field-selector=involvedObject.name={self.name},involvedObject.kind=ModelDeployment,reason={reason}"
        return len(self.models.namespace.json("get", "events", chosen)["items"])

    def state(self) -> str:
        """Of the newest revision."""
        return str(max(self.status()["revisions"], key=lambda entry: entry.get("number", 0)).get("state"))

    def good(self) -> str:
        return str(self.status()["goodRevision"])

    def is_over(self) -> bool:
        status = self.status()
        (current,) = [entry for entry in status.get("revisions", ()) if entry.get("state") == "Current"] or [{}]
        all_of_it = self.replicas + self.warm
        return bool(current.get("replicas") == current.get("readyReplicas") == all_of_it) and not [
            entry for entry in status["revisions"] if entry["name"] != current["name"] and entry["replicas"]
        ]

    def until(self, holds: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Where it never does, the status says why."""
        try:
            until(holds, what, seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}: {json.dumps(self.status())}") from late

    def until_state(self, *states: str) -> None:
        self.until(lambda: self.state() in states, "/".join(states), 60)

    def until_taken_over(self, before: str) -> str:
        self.until(lambda: self.good() != before and self.is_over(), "the new revision")
        return self.good()

    def until_given_up(self, before: str, because: str) -> None:
        self.until(
            lambda: self.models.condition("Stalled", self.name)["reason"] == "RolledBack" and self.is_over(),
            "the rollback",
        )
        assert self.good() == before
        assert because in self.models.condition("Stalled", self.name)["message"]


def take_gpus(models: Models, count: int) -> None:
    """For the rest of the test, by pods of somebody else."""
    for index in range(count):
        limits = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
        models.namespace.apply(pod(f"other-{index}", container=limits))
        models.namespace.wait_ready(f"other-{index}")


def test_four_replicas_on_four_gpus_while_the_operator_is_killed(
    models: Models, operators: Operators, configuration: dict[str, Any], figure: Figure
) -> None:
    with ExitStack() as stack:
        doomed = stack.enter_context(operators.operator(**configuration))
        web = Rollouts(models, 4)
        web.edit("1")
        load = web.load()
        with load.running(), counted_in_traffic(models.namespace) as in_traffic:
            before, began = web.good(), time.monotonic()
            web.edit("2")
            web.until_state("Exchanging")
            doomed.kill()
            stack.enter_context(operators.operator(**configuration))
            web.until_taken_over(before)
            figure("four replicas exchanged on four GPUs, operator killed in between", time.monotonic() - began)
    load.assert_that_nobody_noticed()
    assert min(in_traffic) == 3, in_traffic
    # The first one found no room beside the old ones; that the others wait for the places of those is no news.
    assert web.told("Unschedulable") <= 2, "once more by the operator that took over, at most"
    assert web.told("AllScheduled") <= 1


def test_a_warm_replica_gives_its_gpu_and_the_only_serving_one_is_never_missed(
    models: Models, operator: Successive, figure: Figure
) -> None:
    take_gpus(models, 2)
    web = Rollouts(models, 1, warm=1)
    web.edit("1")
    load = web.load()
    with load.running(), counted_in_traffic(models.namespace) as in_traffic:
        before, began = web.good(), time.monotonic()
        web.edit("2")
        web.until_state("Exchanging")
        operator.dies()
        web.until_taken_over(before)
        figure("one serving and one warm replica exchanged on two GPUs", time.monotonic() - began)
    load.assert_that_nobody_noticed()
    assert min(in_traffic) == 1, in_traffic


def test_one_spare_gpu_surge_then_replace_then_back_by_hand(
    models: Models, operator: Successive, figure: Figure
) -> None:
    take_gpus(models, 1)
    web = Rollouts(models, 2)
    web.edit("1")
    load = web.load()
    with load.running():
        first = web.good()
        for version, strategy in (("2", "Surge"), ("3", "Replace")):
            before, began = web.good(), time.monotonic()
            web.edit(version, strategy=strategy)
            web.until_state("Surging", "Exchanging")
            operator.dies()
            web.until_taken_over(before)
            figure(f"two replicas, one spare GPU, {strategy}", time.monotonic() - began)
        began = time.monotonic()
        assert f"goes to revision {before}" in rolled_back(web, "web")
        operator.dies()
        web.until(lambda: web.good() == before and web.is_over(), "the rollback")
        figure("two replicas, one spare GPU, stoker rollback", time.monotonic() - began)
    load.assert_that_nobody_noticed()
    assert f"{first} (number 1, Kept)" in rolled_back(web, "web", "--to", "0123456789")
    assert "is not pinned any more" in rolled_back(web, "web", "--undo")


def rolled_back(web: Rollouts, *arguments: str) -> str:
    """What `stoker rollback` says."""
    command = [sys.executable, "-m", "stoker.cli", "rollback", "--namespace", web.models.namespace.name, *arguments]
    cluster = web.models.namespace.cluster
    prefix = cluster.tool("env", f"KUBECONFIG={cluster.layout.kubeconfig}")
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout + done.stderr


def test_a_second_set_waits_for_its_gpus_and_then_takes_all_traffic_at_once(
    models: Models, operator: Successive, figure: Figure
) -> None:
    take_gpus(models, 1)
    web = Rollouts(models, 2)
    web.edit("1")
    load = web.load()
    with load.running():
        before, began = web.good(), time.monotonic()
        old = set(models.pods())
        web.edit("2", strategy="BlueGreen")
        models.wait_for_reason("Scheduled", "Unschedulable")
        time.sleep(10)
        assert web.state() == "Holding"
        assert set(models.pods()) == old, "nothing of the new set takes traffic"
        models.namespace.kubectl("delete", "pod/other-0")
        operator.dies()
        web.until_taken_over(before)
        figure("two replicas, BlueGreen, ten seconds of them without GPUs", time.monotonic() - began)
    load.assert_that_nobody_noticed()


def test_versions_that_are_broken_are_given_up(models: Models, operator: Successive, figure: Figure) -> None:
    """Two models: one gets a flag that does not exist and then an engine that ends at its first token, the other an
    engine that never becomes ready, in a cluster without a free GPU."""
    web, other = Rollouts(models, 2), Rollouts(models, 2, "other")
    web.edit("1")
    other.edit("1")
    load, other_load = web.load(), other.load()
    with load.running(), other_load.running():
        before, others_before, began = web.good(), other.good(), time.monotonic()
        other.edit("2", "--never-ready")
        web.edit("2", "--no-such-flag")
        operator.dies()
        web.until_given_up(before, "no-such-flag")
        figure("a flag that does not exist: rolled back", time.monotonic() - began)
        second = time.monotonic()
        web.edit("3", "--crash-at-token", "1", warmupPrompts=["hello"])
        until(lambda: models.condition("Stalled")["reason"] != "RolledBack", "the next rollout", 60)
        web.until_given_up(before, "illegal memory access")
        figure("a crash at the first token: rolled back", time.monotonic() - second)
        other.until_given_up(others_before, "LoadDeadlineExceeded")
        figure("never ready, with a deadline of 60 s: rolled back", time.monotonic() - began)
    load.assert_that_nobody_noticed()
    other_load.assert_that_nobody_noticed()
