"""Everything that a plan is made from: what is wanted, what was seen, and when.

An absent field (`None`) means unknown, unless its comment says otherwise. The classes hold what decisions need of an
object and nothing more, so that thousands of them stay small.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from stoker.api.configuration import Configuration
from stoker.api.parsing import LiveObject
from stoker.api.v1alpha1.reason import Reason
from stoker.api.v1alpha1.status import ScalingStatus
from stoker.core.control_token import ControlKey
from stoker.core.engine import EngineProfile, Refusal
from stoker.core.names import SERVER_CONTAINER
from stoker.core.pool.report import Report


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object exactly, at which point of its history."""

    namespace: str
    name: str
    uid: str
    version: str


@dataclass(frozen=True, slots=True)
class Termination:
    """How a container ended last."""

    exit_code: int
    reason: str
    message: str  # the last lines of its log, where it wrote no message of its own


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod, as its node reports it."""

    name: str
    started: bool
    waiting_reason: str  # empty: it does not wait
    waiting_message: str
    restarts: int
    last_end: Termination | None  # None: it never ended
    image_id: str


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of a model."""

    identity: Identity
    revision: str
    tier: str
    owner_uid: str  # of the controller; empty: nobody's
    created: datetime
    phase: str
    ready: bool
    ready_since: datetime | None  # None: not ready
    node: str  # empty: not scheduled
    unschedulable: str  # the scheduler's sentence; empty: it has none
    deleting: bool
    draining_since: datetime | None  # None: not draining
    left_from: str  # empty: it never left a ReplicaSet
    group: str  # the LeaderWorkerSet whose controller made it; empty: none
    reason: str  # such as Evicted
    message: str
    containers: tuple[Container, ...]
    ip: str = ""  # empty: it has none yet
    protected: bool = False  # node autoscalers are asked to leave it alone
    agent_port: int = 0  # 0: no agent
    server_port: int = 0  # 0: none is named
    metrics_path: str = ""  # of the engine; empty: none is known
    placed_since: datetime | None = None  # None: it has no node, or nobody tells since when
    unready_since: datetime | None = None  # None: it is ready, or its node has told nothing yet
    gone_by: datetime | None = None  # when its node should have let it go; None: nobody deletes it
    devices: tuple[tuple[str, int], ...] = ()  # extended resources that it holds, by name

    @property
    def server(self) -> Container | None:
        """The engine's container, once its node tells of it."""
        return next((container for container in self.containers if container.name == SERVER_CONTAINER), None)

    @property
    def restarts(self) -> int:
        """Tells the lives of its containers apart."""
        return sum(container.restarts for container in self.containers)


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """One revision's ReplicaSet."""

    identity: Identity
    revision: str
    owner_uid: str
    count: int
    count_writer: str  # who wrote the count last; empty: the server does not tell
    generation: int
    pods: int  # as its controller last counted them
    observed: bool  # whether its controller has seen the current count
    failure: str  # why its controller cannot make pods; empty: it can
    deleting: bool

    @property
    def place(self) -> str:
        """What a pod that leaves now left from."""
        return f"{self.identity.uid}/{self.generation}"


@dataclass(frozen=True, slots=True)
class Group:
    """A LeaderWorkerSet: one replica that spans several pods, which carry its name in a label."""

    identity: Identity
    revision: str
    owner_uid: str
    created: datetime
    size: int  # pods
    draining_since: datetime | None  # None: it is to stay
    deleting: bool


@dataclass(frozen=True, slots=True)
class Revision:
    """A ControllerRevision: what the user wanted and what was rendered for it, once and for all."""

    identity: Identity
    name: str
    number: int
    owner_uid: str
    data: bytes  # compact JSON; read by revision.py


@dataclass(frozen=True, slots=True)
class Owned:
    """Any other object that Stoker may write, as compact JSON without what the server adds."""

    identity: Identity
    owner_uid: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim."""

    identity: Identity
    phase: str
    access_modes: tuple[str, ...]
    storage_class: str | None  # None: it names none
    bound: bool
    model: str = ""  # that it was made for; empty: Stoker did not make it
    owner_uid: str = ""  # who takes it along when it is deleted
    size_bytes: int | None = None  # that it asks for
    deleting: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job that inspects or fetches weights."""

    identity: Identity
    task: str
    owner_uid: str
    succeeded: bool
    failure: str  # why the job controller gave it up; empty: it did not
    ended_at: datetime | None  # None: it goes on
    result: str  # what it found, once that was kept; JSON
    deleting: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a download is, by its own words."""

    fetched_bytes: int
    total_bytes: int
    message: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A Warning event that explains why something does not go on."""

    kind: str
    name: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Node:
    """What pods could have on a node."""

    name: str
    labels: Mapping[str, str]
    allocatable: Mapping[str, int]  # extended resources only
    schedulable: bool
    leaving: bool = False  # it is about to go, or gone: what runs there has to run elsewhere


class ObjectKind(StrEnum):
    """Kinds that the plan writes besides pods."""

    SERVICE = "Service"
    DISRUPTION_BUDGET = "PodDisruptionBudget"
    NETWORK_POLICY = "NetworkPolicy"


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that the API server did not accept when it was last tried."""

    object: str
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class Contest:
    """An object that somebody else changed again after Stoker had put it back."""

    kind: str
    name: str
    manager: str


@dataclass(frozen=True)
class Cluster:
    """What is the same for every model."""

    configuration: Configuration
    profiles: Mapping[str, EngineProfile]
    operator_version: str
    nodes: tuple[Node, ...] | None = None  # None: nodes cannot be seen
    storage_classes: frozenset[str] | None = None
    has_leader_worker_sets: bool | None = None
    control_key: ControlKey | None = None  # None: agents take no orders
    frozen: str = ""  # why a person froze the fleet; empty: nobody did
    scales: bool = False  # whether somebody follows the load, so that Auto means more than the floor
    growing_classes: frozenset[str] = frozenset()  # storage classes whose volumes may be made larger

    @cached_property
    def leaving_nodes(self) -> frozenset[str]:
        return frozenset(node.name for node in self.nodes or () if node.leaving)


@dataclass(frozen=True, slots=True)
class Scaled:
    """What the load asks for, as it was last decided."""

    serving: int
    warm: int
    active: bool | None  # None: the load cannot be told
    reason: Reason
    message: str
    limit: Refusal | None = None
    memory: ScalingStatus | None = None  # what a restart must not forget
    waiting_requests: int | None = None
    running_requests: int | None = None
    resting: tuple[str, ...] = ()  # uids of those that serve, and stand aside until they have worked off what they have


@dataclass(frozen=True)
class Snapshot:
    """One model and everything around it, at one moment."""

    now: datetime
    live: LiveObject
    cluster: Cluster
    replica_sets: tuple[ReplicaSet, ...] = ()
    groups: tuple[Group, ...] = ()
    pods: tuple[Pod, ...] = ()
    revisions: tuple[Revision, ...] = ()
    owned: Mapping[ObjectKind, Owned] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)  # those that the spec names, where they exist
    jobs: tuple[Job, ...] = ()
    progress: Progress | None = None  # None: nothing is being fetched, or nobody can tell
    troubles: tuple[Trouble, ...] = ()
    refused: tuple[Refused, ...] = ()
    contests: tuple[Contest, ...] = ()
    scaled: Scaled | None = None  # None: nothing has been decided since the operator began
    in_flight: Mapping[str, int] = field(default_factory=dict)  # requests, by the uid of the pod that answers them
    reports: Mapping[str, Report] = field(default_factory=dict)  # of agents that were given orders, by uid
    rolling_elsewhere: tuple[str, ...] | None = ()  # other models that roll out; None: not all were looked at yet

    @property
    def name(self) -> str:
        return self.live.deployment.metadata.name

    @property
    def namespace(self) -> str:
        return self.live.deployment.metadata.namespace

    @property
    def uid(self) -> str:
        return self.live.deployment.metadata.uid
