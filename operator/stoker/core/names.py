"""The labels, annotations and names by which Stoker's objects find each other."""

from enum import StrEnum

FIELD_MANAGER = "stoker"
# Where a second one does not know of this one, both write under one name.
ANOTHER_STOKER = "another Stoker"

MODEL_LABEL = "stoker.dev/model"
REVISION_LABEL = "stoker.dev/revision"
TIER_LABEL = "stoker.dev/tier"

RESTARTED_AT = "stoker.dev/restarted-at"  # on a ModelDeployment: part of the revision, so a new value rolls out anew
WOKEN_AT = "stoker.dev/woken-at"  # on a ModelDeployment: it is kept awake until idleSeconds after this moment
DRAINING_SINCE = (
    "stoker.dev/draining-since"  # on a pod that was taken off traffic, and on a LeaderWorkerSet that leaves
)
LEFT_FROM = "stoker.dev/left-from"  # on such a pod: the ReplicaSet that it left, and its generation then

FREEZE_CONFIG_MAP = "stoker-freeze"  # in the operator's namespace: while it is there, nothing is scaled or rolled out
FREEZE_REASON = "reason"  # its key

# On a pod that loads: what Karpenter and the cluster autoscaler leave alone.
PROTECTION = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}

METRICS_PATH = "prometheus.io/path"  # on a pod: where its engine has its metrics

TASK_LABEL = "stoker.dev/task"  # on jobs and their pods: inspect or fetch
CLAIM_LABEL = "stoker.dev/claim"  # on pods that mount a claim which only one node at a time can mount
TASK_RESULT = "stoker.dev/result"  # on a job: what it found, so that it outlives its pod
GROUP_LABEL = "leaderworkerset.sigs.k8s.io/name"  # on the pods of a LeaderWorkerSet, by its controller

SERVER_CONTAINER = "server"
AGENT_CONTAINER = "agent"
TASK_CONTAINER = "task"
SERVER_PORT = "http"
AGENT_PORT = "agent"
GPU_PRODUCT_LABEL = "nvidia.com/gpu.product"


class Tier(StrEnum):
    """What a replica is there for. Services select `serving`."""

    SERVING = "serving"
    WARM = "warm"
    ASLEEP = "asleep"
    DRAINING = "draining"


def replica_set_name(model: str, revision: str) -> str:
    return f"{model}-{revision}"


def group_name(model: str, revision: str, ordinal: int) -> str:
    """Of the LeaderWorkerSet that is one replica."""
    return f"{replica_set_name(model, revision)}-{ordinal}"


def leader_name(group: str) -> str:
    """Of a LeaderWorkerSet's first pod; the others are called NAME-0-1 and on."""
    return f"{group}-0"


def claim_name(model: str) -> str:
    return f"{model}-weights"


def identity_labels(model: str) -> dict[str, str]:
    """What every object of a model carries."""
    return {MODEL_LABEL: model, "app.kubernetes.io/name": model, "app.kubernetes.io/managed-by": "stoker"}


def serving_selector(model: str) -> dict[str, str]:
    return {MODEL_LABEL: model, TIER_LABEL: Tier.SERVING.value}
