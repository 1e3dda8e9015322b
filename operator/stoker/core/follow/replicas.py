"""Pods as scaling sees them: a leader is a replica, in one stage and one tier."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stoker.core.plan.replicas import lives
from stoker.core.plan.snapshot import Pod
from stoker.core.scaling.observation import Load, Reading, Replica, Stage


def stage_of(pod: Pod) -> Stage:
    """Where it is between its order and its first token."""
    if pod.ready:
        return Stage.READY
    if not pod.node:
        return Stage.PROVISIONING if pod.unschedulable else Stage.QUEUED
    # A container that neither waits nor has ended runs, whatever its start-up probe says yet.
    runs = pod.server is not None and not pod.server.waiting_reason
    return Stage.LOADING if runs else Stage.PULLING


@dataclass
class StageBook:
    """Since when each pod is in its stage. What was never seen before is as old as the pod."""

    _since: dict[str, tuple[Stage, float]] = field(default_factory=dict)

    def since(self, uid: str, stage: Stage, created_seconds: float, now_seconds: float) -> float:
        known = self._since.get(uid)
        if known is None:
            self._since[uid] = (stage, created_seconds)
        elif known[0] is not stage:
            self._since[uid] = (stage, now_seconds)
        return self._since[uid][1]

    def forget_all_but(self, uids: Iterable[str]) -> None:
        kept = set(uids)
        self._since = {uid: entry for uid, entry in self._since.items() if uid in kept}


@dataclass(frozen=True)
class Moment:
    """Now, on both clocks: objects are dated by the wall, decisions by what never goes back."""

    wall: datetime
    seconds: float

    def seconds_of(self, wall: datetime) -> float:
        return self.seconds - (self.wall - wall).total_seconds()


def replicas_of(
    pods: Iterable[Pod],
    moment: Moment,
    book: StageBook,
    products: Mapping[str, str],
    look: Callable[[str], tuple[Reading, Load | None]],
) -> Iterator[Replica]:
    """`products` names the GPU product of a node, `look` tells what was last heard of a pod."""
    for pod in pods:
        if not pod.tier or not lives(pod):
            continue  # workers follow their leader, jobs are no replicas, and what is deleted serves nobody new
        stage, created = stage_of(pod), moment.seconds_of(pod.created)
        reading, load = look(pod.identity.uid) if stage is Stage.READY else (Reading.UNKNOWN, None)
        yield Replica(
            uid=pod.identity.uid,
            revision=pod.revision,
            product=products.get(pod.node, ""),
            tier=pod.tier,
            stage=stage,
            since_seconds=book.since(pod.identity.uid, stage, created, moment.seconds),
            created_seconds=created,
            reading=reading,
            load=load,
        )
