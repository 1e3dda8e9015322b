"""What the operator needs to be allowed, rule by rule and with the reason.

One table serves the chart's roles, `stoker preflight` and the reference. What is not in it is not asked for: no
secrets, since the kubelet mounts them without the operator's help; no exec; no pods of its own making, since
ReplicaSets, LeaderWorkerSets and Jobs make them. Where the API server guards owners, as on OpenShift
(OwnerReferencesPermissionEnforcement), whoever changes the owner of an object must be allowed to delete it, so `delete`
stands for that too.
"""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Where a rule has to hold."""

    MODELS = "the namespaces of the models"
    CLUSTER = "the cluster"
    OPERATOR = "the operator's namespace"


@dataclass(frozen=True)
class Permission:
    """One rule. `resource` may carry a subresource: modeldeployments/status."""

    group: str
    resource: str
    verbs: tuple[str, ...]
    scope: Scope
    why: str


_FOLLOW = ("list", "watch")
_SEE = ("get", *_FOLLOW)
_OWN = (*_SEE, "create", "patch", "delete")

PERMISSIONS = (
    Permission("stoker.dev", "modeldeployments", _SEE, Scope.MODELS, "What users want. The spec is never written."),
    Permission("stoker.dev", "modeldeployments/status", ("patch",), Scope.MODELS, "Conditions, counts and columns."),
    Permission(
        "",
        "pods",
        (*_FOLLOW, "patch", "delete"),
        Scope.MODELS,
        "Patched to move a replica between tiers or out of its ReplicaSet, deleted once a chosen replica is drained.",
    ),
    Permission("apps", "replicasets", _OWN, Scope.MODELS, "One per revision of a model; only its count is patched."),
    Permission(
        "apps",
        "controllerrevisions",
        _OWN,
        Scope.MODELS,
        "What a revision was made of, so that it can be kept verbatim.",
    ),
    Permission(
        "leaderworkerset.x-k8s.io",
        "leaderworkersets",
        _OWN,
        Scope.MODELS,
        "One per replica that spans several pods; patched to mark one that leaves. Not needed where the API is absent.",
    ),
    Permission("", "services", _OWN, Scope.MODELS, "The address of a model."),
    Permission(
        "",
        "persistentvolumeclaims",
        _OWN,
        Scope.MODELS,
        "Where the weights are. None is deleted, but some clusters want that of whoever gives one an owner.",
    ),
    Permission("batch", "jobs", _OWN, Scope.MODELS, "They inspect and fetch weights; patched to keep the result."),
    Permission("", "pods/log", ("get",), Scope.MODELS, "The last line of a job that fetches, for the progress."),
    Permission("networking.k8s.io", "networkpolicies", _OWN, Scope.MODELS, "Who may reach the replicas of a model."),
    Permission("policy", "poddisruptionbudgets", _OWN, Scope.MODELS, "So that draining a node empties no model."),
    Permission(
        "apps",
        "deployments",
        _FOLLOW,
        Scope.MODELS,
        "Workloads of other tools that scaling.targetRef names: whose pods to look at. Not needed without targetRef.",
    ),
    Permission("apps", "statefulsets", _FOLLOW, Scope.MODELS, "The same, of the other kind."),
    Permission("", "resourcequotas", _FOLLOW, Scope.MODELS, "How many accelerators a namespace may have."),
    Permission(
        "",
        "events",
        ("create", *_FOLLOW),
        Scope.MODELS,
        "Written on a ModelDeployment for its transitions; warnings on pods and claims are read to explain a failure.",
    ),
    Permission("", "nodes", _FOLLOW, Scope.CLUSTER, "Which accelerators there are, and why a pod finds no place."),
    Permission("storage.k8s.io", "storageclasses", _FOLLOW, Scope.CLUSTER, "Whether the class of a claim exists."),
    Permission(
        "",
        "configmaps",
        _FOLLOW,
        Scope.OPERATOR,
        "The ConfigMap stoker-freeze, by which a person stops scaling and rollouts.",
    ),
    Permission(
        "coordination.k8s.io",
        "leases",
        ("get", "create", "update"),
        Scope.OPERATOR,
        "One operator acts, others stand by.",
    ),
)
