"""Where the API server keeps each kind of object."""

from dataclasses import dataclass
from typing import NamedTuple


class Key(NamedTuple):
    """An object's place in its kind; cluster-wide kinds have an empty namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Resource:
    """A kind by the name that paths use for it."""

    group: str
    version: str
    plural: str
    namespaced: bool = True

    def collection(self, namespace: str = "") -> str:
        """The path of all objects, in one namespace or in all of them."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"

    def path(self, key: Key, subresource: str = "") -> str:
        path = f"{self.collection(key.namespace)}/{key.name}"
        return f"{path}/{subresource}" if subresource else path


MODEL_DEPLOYMENTS = Resource("stoker.dev", "v1alpha1", "modeldeployments")
PODS = Resource("", "v1", "pods")
SERVICES = Resource("", "v1", "services")
CONFIG_MAPS = Resource("", "v1", "configmaps")
RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas")
CLAIMS = Resource("", "v1", "persistentvolumeclaims")
EVENTS = Resource("", "v1", "events")
NODES = Resource("", "v1", "nodes", namespaced=False)
REPLICA_SETS = Resource("apps", "v1", "replicasets")
DEPLOYMENTS = Resource("apps", "v1", "deployments")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets")
LEADER_WORKER_SETS = Resource("leaderworkerset.x-k8s.io", "v1", "leaderworkersets")
CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions")
JOBS = Resource("batch", "v1", "jobs")
DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets")
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies")
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", namespaced=False)
