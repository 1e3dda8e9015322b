"""A cluster small enough to be tried out in every order: what the API server and its controllers would do, in memory.

It keeps the promises that the planner relies on and no others: writes are fenced by uid and version, the ReplicaSet
controller acts some time after a write, chooses its own victims, and its status lags behind; the LeaderWorkerSet
controller makes a leader and then its workers, and makes all of them anew when one dies.
"""

import itertools
import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from stoker.api.parsing import LiveObject
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.names import Tier
from stoker.core.plan.actions import (
    Action,
    Adopt,
    Apply,
    ChildKind,
    CreateGroup,
    CreateReplicaSet,
    CreateRevision,
    DeleteGroup,
    DeleteOwned,
    DeletePod,
    DeleteReplicaSet,
    DeleteRevision,
    Detach,
    DrainGroup,
    Plan,
    Protect,
    Retier,
    Scale,
    TakeOffTraffic,
)
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Cluster, Group, Identity, ObjectKind, Owned, Pod, ReplicaSet, Revision, Snapshot
from tests.unit.plan.builders import NOW, UID, claim, cluster, group, group_pods, pod, replica_set


class MovedOnError(Exception):
    """A precondition did not hold."""


@dataclass
class ToyCluster:
    model: ModelDeployment
    settings: Cluster = field(default_factory=lambda: cluster(has_leader_worker_sets=True))
    replica_sets: dict[str, ReplicaSet] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    pods: dict[str, Pod] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)
    owned: dict[ObjectKind, Owned] = field(default_factory=dict)
    seconds: float = 0.0
    deleted_by_controller: set[str] = field(default_factory=set)
    detached: list[str] = field(default_factory=list)
    drained: list[str] = field(default_factory=list)
    writes: int = 0
    most_ready_at_once: int = 1000  # in one round
    never_ready: set[str] = field(default_factory=set)  # revisions
    _seen: dict[str, Pod] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def snapshot(self) -> Snapshot:
        return Snapshot(
            now=NOW + timedelta(seconds=self.seconds),
            live=LiveObject(self.model),
            cluster=self.settings,
            replica_sets=tuple(self.replica_sets.values()),
            groups=tuple(self.groups.values()),
            pods=tuple(self.pods.values()),
            revisions=tuple(self.revisions.values()),
            owned=dict(self.owned),
            claims={"weights": claim()},
        )

    # The operator

    def look(self, most_writes: int | None = None, picture: Snapshot | None = None) -> Plan:
        """One plan, carried out up to a number of writes, as if the process ended then. An older picture is what an
        operator plans from that does not know yet that another one leads."""
        planned = plan(picture or self.snapshot())
        try:
            for action in planned.actions[:most_writes]:
                self.write(action)
        except MovedOnError:
            return planned
        if most_writes is None or most_writes > len(planned.actions):
            self.model = self.model.model_copy(update={"status": planned.status})
        return planned

    def write(self, action: Action) -> None:  # noqa: C901, PLR0912 - one case for each kind of action
        self.writes += 1
        match action:
            case CreateRevision(body):
                name = body["metadata"]["name"]
                if name not in self.revisions:
                    label, data = body["metadata"]["labels"]["stoker.dev/revision"], json.dumps(body["data"]).encode()
                    self.revisions[name] = Revision(self._identity(name), label, body["revision"], UID, data)
            case CreateReplicaSet(body):
                self._create_replica_set(body)
            case Apply(kind, _, body, _):
                made = {"metadata": body["metadata"], "spec": body["spec"]}
                self.owned[kind] = Owned(self._identity(body["metadata"]["name"]), UID, json.dumps(made).encode())
            case Scale(seen, _, count, _):
                generation = self._require(self.replica_sets, seen).generation + 1
                self._change_replica_set(seen, count=count, observed=False, generation=generation)
            case Adopt(kind, seen, _):
                children = {ChildKind.REPLICA_SET: self.replica_sets, ChildKind.GROUP: self.groups}
                self._change(children.get(kind, self.revisions), seen, owner_uid=UID)
            case CreateGroup(body):
                self._create_group(body)
            case DrainGroup(seen, since, _):
                self._change(self.groups, seen, draining_since=datetime.fromisoformat(since))
                self.drained.append(seen.name)
            case TakeOffTraffic(seen, since):
                since_then = datetime.fromisoformat(since)
                self._change_pod(seen, tier=Tier.DRAINING.value, draining_since=since_then)
            case DeleteGroup(seen):
                if (found := self.groups.get(seen.name)) and found.identity.uid == seen.uid:
                    assert found.draining_since is not None, f"{seen.name} was deleted without a farewell"
                    del self.groups[seen.name]
            case Detach(seen, _, _, left_from, _):
                now = NOW + timedelta(seconds=self.seconds)
                left = {"revision": "", "draining_since": now, "left_from": left_from}
                self._change_pod(seen, owner_uid=UID, tier=Tier.DRAINING.value, **left)
                self.detached.append(seen.name)
            case Protect(seen, loads):
                self._change_pod(seen, protected=loads)
            case Retier(seen, tier):
                self._change_pod(seen, tier=tier.value)
            case DeletePod(seen):
                if self.pods.get(seen.name) and self.pods[seen.name].identity.uid == seen.uid:
                    self._change_pod(self.pods[seen.name].identity, deleting=True)
            case DeleteReplicaSet(seen):
                self._require(self.replica_sets, seen)
                del self.replica_sets[seen.name]
            case DeleteRevision(seen):
                self._require(self.revisions, seen)
                del self.revisions[seen.name]
            case DeleteOwned(kind, _):
                del self.owned[kind]

    def _create_replica_set(self, body: dict[str, Any]) -> None:
        name = body["metadata"]["name"]
        if name in self.replica_sets:
            raise MovedOnError
        made = replica_set(body["metadata"]["labels"]["stoker.dev/revision"], body["spec"]["replicas"])
        self.replica_sets[name] = replace(made, identity=self._identity(name), pods=0, observed=False)

    def _create_group(self, body: dict[str, Any]) -> None:
        name = body["metadata"]["name"]
        if name in self.groups:
            raise MovedOnError
        labels = body["metadata"]["labels"]
        made = group(labels["stoker.dev/revision"], size=body["spec"]["leaderWorkerTemplate"]["size"])
        born = NOW + timedelta(seconds=self.seconds)
        self.groups[name] = replace(made, identity=self._identity(name), created=born)

    def _identity(self, name: str) -> Identity:
        number = next(self._numbers)
        return Identity("models", name, f"uid-{number}", str(number))

    @staticmethod
    def _require(objects: Any, seen: Identity) -> Any:
        found = objects.get(seen.name)
        if found is None or found.identity != seen:
            raise MovedOnError
        return found

    def _change_replica_set(self, seen: Identity, **changes: Any) -> None:
        self._change(self.replica_sets, seen, **changes)

    def _change_pod(self, seen: Identity, **changes: Any) -> None:
        self._change(self.pods, seen, **changes)

    def _change(self, objects: Any, seen: Identity, **changes: Any) -> None:
        found = self._require(objects, seen)
        objects[seen.name] = replace(found, identity=self._next(found.identity), **changes)

    def _next(self, identity: Identity) -> Identity:
        return replace(identity, version=str(next(self._numbers)))

    # Kubernetes

    def controller_acts(self, *, sees_pods: bool = True) -> None:
        """Each ReplicaSet makes or deletes pods, in its own order of victims, and tells its status. Its controller
        watches pods and ReplicaSets apart, so it may know the one and not yet the other."""
        if sees_pods:
            self._seen = dict(self.pods)
        for name, owner in list(self.replica_sets.items()):
            live = self._seen_of(owner)
            for _ in range(owner.count - len(live)):
                self._make_pod(owner)
            live.sort(key=lambda pod: (bool(pod.node), pod.ready, -pod.created.timestamp()))
            for victim in live[: max(0, len(live) - owner.count)]:
                self.deleted_by_controller.add(victim.identity.name)
                self._seen.pop(victim.identity.name)
                if victim.identity.name in self.pods:
                    self._change_pod(self.pods[victim.identity.name].identity, deleting=True)
            counted = len(self._seen_of(owner))
            if not owner.observed or owner.pods != counted:
                self._change_replica_set(owner.identity, pods=counted, observed=True)
            assert name in self.replica_sets
        self._groups_act()

    def _groups_act(self) -> None:
        """Pods find their group by name. Workers go with their leader, and come after it."""
        for found in [found for found in self.pods.values() if found.group and not found.deleting]:
            leader = self.pods.get(f"{found.group}-0")
            if leader is found and found.group in self.groups:
                continue
            if leader is None or leader is found:
                self._change_pod(found.identity, deleting=True)
        for owner in self.groups.values():
            leader_made, *workers = group_pods(owner, ready=False, node="", phase="Pending")
            leader = self.pods.get(leader_made.identity.name)
            if leader is None and not any(found.group == owner.identity.name for found in self.pods.values()):
                self._add(leader_made)
            elif leader is not None and not leader.deleting:
                for worker in workers:
                    if worker.identity.name not in self.pods:
                        self._add(replace(worker, ready=False, node="", phase="Pending"))

    def _add(self, made: Pod) -> None:
        born = NOW + timedelta(seconds=self.seconds)
        self.pods[made.identity.name] = replace(made, identity=self._identity(made.identity.name), created=born)

    def _seen_of(self, owner: ReplicaSet) -> list[Pod]:
        return [pod for pod in self._seen.values() if pod.owner_uid == owner.identity.uid and not pod.deleting]

    def _make_pod(self, owner: ReplicaSet) -> None:
        name = f"{owner.identity.name}-{next(self._numbers)}"
        born = NOW + timedelta(seconds=self.seconds)
        made = pod(name, owner, ready=False, node="", phase="Pending", created=born)
        self.pods[name] = replace(made, identity=self._identity(name))
        # It remembers what it has made itself.
        self._seen[name] = self.pods[name]

    def kubelet_acts(self) -> None:
        """Pods are scheduled, then ready, then, when they are deleted, gone."""
        starting = [found for found in self.pods.values() if found.node and not found.ready and not found.deleting]
        late = {found.identity.name for found in starting[self.most_ready_at_once :]}
        for name, found in list(self.pods.items()):
            if found.deleting:
                del self.pods[name]
            elif not found.node:
                self._change_pod(found.identity, node="node-1", phase="Running")
            elif not found.ready and found.revision not in self.never_ready and name not in late:
                self._change_pod(found.identity, ready=True)

    def flaps(self, index: int) -> None:
        """One pod loses its readiness for a while."""
        if self.pods:
            chosen = sorted(self.pods)[index % len(self.pods)]
            self._change_pod(self.pods[chosen].identity, ready=False, ready_since=None)

    def dies(self, index: int) -> None:
        """One pod is taken away by other hands; of a group, all of them are made anew."""
        if self.pods:
            chosen = self.pods[sorted(self.pods)[index % len(self.pods)]]
            whole = self.pods.get(f"{chosen.group}-0", chosen)
            self._change_pod(whole.identity, deleting=True)

    def until_settled(self, rounds: int = 200) -> None:
        for _ in range(rounds):
            before = (self.writes, dict(self.pods))
            self.look()
            self.controller_acts()
            self.kubelet_acts()
            self.seconds += 2
            well = all(
                pod.ready and not pod.deleting and pod.tier in ("serving", "warm", "") for pod in self.pods.values()
            )
            if (self.writes, self.pods) == before and well and not self.look().actions:
                return
        raise AssertionError(f"not settled after {rounds} rounds: {plan(self.snapshot()).actions}")

    def serving(self, tier: str = "serving") -> list[Pod]:
        return [pod for pod in self.pods.values() if pod.tier == tier and pod.ready and not pod.deleting]
