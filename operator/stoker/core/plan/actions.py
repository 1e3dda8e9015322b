"""What a plan wants written, in order. Each action carries what must still be true for it to be right."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stoker.api.v1alpha1.status import Status
from stoker.core.names import Tier
from stoker.core.plan.snapshot import Identity, ObjectKind
from stoker.core.pool.replaced import Replaced
from stoker.core.pool.report import Verb

Json = dict[str, Any]


class ChildKind(StrEnum):
    """Kinds that carry a ModelDeployment's replicas, and what these are made of."""

    REPLICA_SET = "ReplicaSet"
    GROUP = "LeaderWorkerSet"
    REVISION = "ControllerRevision"


@dataclass(frozen=True)
class CreateRevision:
    """Keeps what a revision is. Created once and never changed; one of ours that is there already is right."""

    body: Json


@dataclass(frozen=True)
class CreateReplicaSet:
    """Makes a revision's ReplicaSet. One of ours that is there already is looked at again instead."""

    body: Json


@dataclass(frozen=True)
class CreateGroup:
    """Makes the LeaderWorkerSet of one replica. One of ours that is there already is looked at again instead."""

    body: Json


@dataclass(frozen=True)
class CreateJob:
    """Makes a job. One of ours that is there already is looked at again instead."""

    body: Json


@dataclass(frozen=True)
class KeepResult:
    """Copies what a job's pod said last to the job."""

    job: Identity
    result: str


@dataclass(frozen=True)
class DeleteJob:
    """Ends a job with its pods, or forgets one that ended."""

    job: Identity


@dataclass(frozen=True)
class CreateClaim:
    """Makes the claim for the weights."""

    body: Json


@dataclass(frozen=True)
class MendClaim:
    """Changes a claim's owner or raises its size."""

    claim: Identity
    patch: Json
    why: str


@dataclass(frozen=True)
class Apply:
    """Makes an object what it should be, by server-side apply. `seen` is None where none was seen; `surplus` is a merge
    patch that removes what others added."""

    kind: ObjectKind
    seen: Identity | None
    body: Json
    surplus: Json


@dataclass(frozen=True)
class Scale:
    """Sets a ReplicaSet's count, if it is still the one that was seen. `writer` set the count before."""

    replica_set: Identity
    before: int
    count: int
    writer: str


@dataclass(frozen=True)
class Adopt:
    """Makes the ModelDeployment the owner of an object that has none."""

    kind: ChildKind
    child: Identity
    owner: Json


@dataclass(frozen=True)
class Detach:
    """Takes one pod off traffic and out of its ReplicaSet, and makes the ModelDeployment its owner."""

    pod: Identity
    owner: Json
    since: str
    left_from: str
    why: str


@dataclass(frozen=True)
class DrainGroup:
    """Marks the LeaderWorkerSet of the chosen replica, so that it does not count any more."""

    group: Identity
    since: str
    why: str


@dataclass(frozen=True)
class TakeOffTraffic:
    """Moves the leader of a LeaderWorkerSet that leaves to the tier `draining`."""

    leader: Identity
    since: str


@dataclass(frozen=True)
class Retier:
    """Moves a pod to another tier."""

    pod: Identity
    tier: Tier


@dataclass(frozen=True)
class Protect:
    """Asks node autoscalers to leave a pod alone while it loads, or no longer to."""

    pod: Identity
    loads: bool


@dataclass(frozen=True)
class Tell:
    """Gives an order to a replica's agent; how it was taken shows at a later look. Given twice it is given once."""

    pod: Identity
    model: str
    ip: str
    port: int
    restarts: int  # the life of its containers that it is meant for
    verb: Verb
    level: int = 1  # of sleep


@dataclass(frozen=True)
class Replace:
    """Ends a pod off traffic that cannot come to what is wanted of it; whoever counts it makes another."""

    pod: Identity
    why: str
    reason: Replaced


@dataclass(frozen=True)
class DeletePod:
    """Ends one pod that had left; its grace is the pod's own."""

    pod: Identity


@dataclass(frozen=True)
class DeleteReplicaSet:
    """Removes a ReplicaSet of an old revision that has no pods."""

    replica_set: Identity


@dataclass(frozen=True)
class DeleteGroup:
    """Removes a LeaderWorkerSet whose leader takes no traffic any more."""

    group: Identity


@dataclass(frozen=True)
class DeleteRevision:
    """Forgets a revision beyond those that are kept."""

    revision: Identity


@dataclass(frozen=True)
class DeleteOwned:
    """Removes an object that the configuration no longer wants."""

    kind: ObjectKind
    seen: Identity


Action = (
    CreateRevision
    | CreateReplicaSet
    | CreateJob
    | KeepResult
    | DeleteJob
    | CreateClaim
    | MendClaim
    | CreateGroup
    | Apply
    | Scale
    | Adopt
    | Detach
    | DrainGroup
    | TakeOffTraffic
    | Retier
    | Protect
    | Tell
    | Replace
    | DeletePod
    | DeleteReplicaSet
    | DeleteGroup
    | DeleteRevision
    | DeleteOwned
)


@dataclass(frozen=True)
class Note:
    """An Event for people: one for a change, none for a state."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True)
class Plan:
    """What to write, what to say, and when to look again (None: when something changes)."""

    actions: tuple[Action, ...]
    status: Status
    notes: tuple[Note, ...]
    look_again_seconds: float | None
    rolls: bool = False  # whether a rollout is under way, that others may have to wait for
    waits_for_turn: bool = False  # whether one would be
