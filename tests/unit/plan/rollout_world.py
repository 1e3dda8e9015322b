"""A cluster with so many GPUs, in which a model is rolled out: its replicas need one each, and some revisions fail."""

from copy import copy
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any

from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Snapshot
from tests.unit.plan.builders import NOW, cluster, deployment, ended
from tests.unit.plan.toy_cluster import ToyCluster

FULL = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu."
ROUND_SECONDS = 5
SURGE_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS = 60  # the shortest deadline that a spec may have


@dataclass
class RolloutWorld(ToyCluster):
    gpus: int = 100
    crashing: set[str] = field(default_factory=set)  # revisions
    least_serving: int = 1000  # since it was last set
    made: set[str] = field(default_factory=set)  # names of all pods that ever were
    told: list[str] = field(default_factory=list)  # reasons of Events
    elsewhere: tuple[str, ...] | None = ()  # models that roll out beside this one

    def snapshot(self) -> Snapshot:
        return replace(super().snapshot(), rolling_elsewhere=self.elsewhere)

    def kubelet_acts(self) -> None:
        now = NOW + timedelta(seconds=self.seconds)
        for name, found in list(self.pods.items()):
            if found.deleting:
                del self.pods[name]
            elif not found.node and sum(bool(pod.node) for pod in self.pods.values()) < self.gpus:
                moments = {"placed_since": now, "unready_since": now}
                self._change_pod(found.identity, node="node-1", phase="Running", unschedulable="", **moments)
            elif not found.node:
                self._change_pod(found.identity, unschedulable=FULL)
            elif found.revision in self.crashing:
                restarts = found.containers[0].restarts + 1
                crashed = (ended(2, "Error", "unknown flag: --fast", restarts=restarts),)
                self._change_pod(found.identity, containers=crashed)
            elif not found.ready and found.revision not in self.never_ready:
                self._change_pod(found.identity, ready=True, ready_since=now, unready_since=None)

    def round(self, *, readiness: bool = True) -> None:
        """Everybody acts once, and after each write that the operator makes it is counted who serves."""
        self.told += [note.reason for note in self.look().notes]
        self._count()
        self.controller_acts()
        self._count()
        if readiness:
            self.kubelet_acts()
        self.seconds += ROUND_SECONDS

    def write(self, action: Any) -> None:
        super().write(action)
        self._count()

    def _count(self) -> None:
        self.made |= set(self.pods)
        self.least_serving = min(self.least_serving, len(self.serving()))

    def rounds(self, count: int) -> None:
        for _ in range(count):
            self.round()

    def quiet(self, rounds: int = 400) -> None:
        """Until nothing is written for as long as anything may wait."""
        still = 0
        for _ in range(rounds):
            before = self.writes
            self.round()
            still = still + 1 if self.writes == before else 0
            if still * ROUND_SECONDS > LONGEST_WAIT_SECONDS:
                return
        raise AssertionError(f"not quiet after {rounds} rounds: {plan(self.snapshot()).actions}")

    def edit(self, replicas: int, version: int, warm: int = 0, **rollout: Any) -> str:
        """The name of the revision that the spec describes then."""
        engine = {"name": "simulated", "image": f"registry.example.com/simulated:{version}"}
        scaling = {"maxReplicas": 20, "warmReplicas": warm}
        self.model = deployment(replicas, self.model.status, engine=engine, scaling=scaling, rollout=rollout)
        unpinned = replace(self.snapshot(), revisions=())
        return plan(unpinned).status.update_revision or ""

    @property
    def revisions_of_pods(self) -> set[str]:
        return {pod.revision for pod in self.pods.values() if pod.revision}

    def condition(self, kind: str) -> tuple[str, str]:
        (found,) = [condition for condition in self.model.status.conditions if condition.type == kind]
        return found.status, found.reason

    def state(self, revision: str) -> str | None:
        return next((entry.state for entry in self.model.status.revisions if entry.name == revision), None)


@cache
def _first_world(replicas: int, gpus: int, warm: int) -> RolloutWorld:
    settings = cluster(
        has_leader_worker_sets=True, configuration={"rollouts": {"surgeWaitSeconds": SURGE_WAIT_SECONDS}}
    )
    made = RolloutWorld(deployment(replicas), settings, gpus=gpus)
    made.edit(replicas, 1, warm)
    made.quiet()
    assert made.model.status.good_revision == made.model.status.current_revision
    return made


def world(replicas: int, gpus: int = 100, warm: int = 0) -> RolloutWorld:
    """In which version 1 serves and is known to be good."""
    made = copy(_first_world(replicas, gpus, warm))
    for name, value in vars(made).items():
        if isinstance(value, dict | list | set):
            setattr(made, name, copy(value))
    made.least_serving, made.made, made.told = 1000, set(), []
    return made
