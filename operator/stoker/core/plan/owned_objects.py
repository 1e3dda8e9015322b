"""The objects around the replicas: who may reach them, how many may be evicted, under which name they are called."""

from collections.abc import Iterator
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.values.frozen import thawed
from stoker.core.names import AGENT_PORT, MODEL_LABEL, SERVER_PORT, TASK_LABEL, identity_labels, serving_selector
from stoker.core.plan.revision import owner_reference
from stoker.core.plan.snapshot import ObjectKind

Json = dict[str, Any]
SERVICE_PORT = 80


def owned_objects(
    deployment: ModelDeployment, available: int, settings: Configuration, *, spans_pods: bool
) -> Iterator[tuple[ObjectKind, Json]]:
    yield ObjectKind.SERVICE, _service(deployment)
    yield ObjectKind.DISRUPTION_BUDGET, _disruption_budget(deployment, available)
    if settings.network.policy:
        yield ObjectKind.NETWORK_POLICY, _network_policy(deployment, settings, spans_pods=spans_pods)


def _object(deployment: ModelDeployment, api_version: str, kind: str, spec: Json) -> Json:
    name = deployment.metadata.name
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": deployment.metadata.namespace,
            "labels": identity_labels(name),
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": spec,
    }


def _service(deployment: ModelDeployment) -> Json:
    port = {"name": SERVER_PORT, "port": SERVICE_PORT, "targetPort": SERVER_PORT, "protocol": "TCP"}
    selector = serving_selector(deployment.metadata.name)
    return _object(deployment, "v1", "Service", {"selector": selector, "ports": [port]})


def _disruption_budget(deployment: ModelDeployment, available: int) -> Json:
    return _object(
        deployment,
        "policy/v1",
        "PodDisruptionBudget",
        {
            "selector": {"matchLabels": serving_selector(deployment.metadata.name)},
            "minAvailable": available,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def _network_policy(deployment: ModelDeployment, settings: Configuration, *, spans_pods: bool) -> Json:
    """In: the server's port, from the clients' namespaces, and the agent's, from the operator's. Out: nothing, since
    the weights are there already. Where a replica spans pods, these talk to each other, and find their leader by its
    name."""
    network = settings.network
    ingress: list[Json] = []
    for port, namespaces in ((SERVER_PORT, network.clients), (AGENT_PORT, network.watchers)):
        peers = [{"namespaceSelector": thawed(selector)} for selector in namespaces]
        # A rule from an empty list of peers would let everybody in.
        if peers:
            ingress.append({"from": peers, "ports": [{"port": port, "protocol": "TCP"}]})
    egress: list[Json] = []
    if spans_pods:
        own = [{"podSelector": {"matchLabels": {MODEL_LABEL: deployment.metadata.name}}}]
        names = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
        ingress.append({"from": own})
        egress = [{"to": own}, {"to": [{"namespaceSelector": {}}], "ports": names}]
    return _object(
        deployment,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        {
            # Jobs have to reach the source of the weights.
            "podSelector": {
                "matchLabels": {MODEL_LABEL: deployment.metadata.name},
                "matchExpressions": [{"key": TASK_LABEL, "operator": "DoesNotExist"}],
            },
            "policyTypes": ["Egress", "Ingress"],
            "ingress": ingress,
        }
        | ({"egress": egress} if egress else {}),
    )
