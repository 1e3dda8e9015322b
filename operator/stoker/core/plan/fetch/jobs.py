"""The jobs that look at a source and fetch from it: on CPUs, without an API token, with the source's credentials."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stoker.api.configuration import CaBundle
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.names import TASK_CONTAINER, TASK_LABEL, identity_labels
from stoker.core.plan.placement import beside_the_volume, claim_label, node_constraints, required_nodes, tolerations
from stoker.core.plan.revision import owner_reference
from stoker.core.plan.snapshot import Cluster
from stoker.core.plan.unprivileged import NOBODY, container_security, pod_security

Json = dict[str, Any]

ROOT = "/models"
# The Secret's keys as files, for credentials that are a file: a pull secret, a service account's key.
CREDENTIALS = "/var/run/secrets/stoker.dev/source"
_AUTHORITIES = "/etc/stoker/authorities"
# What the fetch itself and each of the clouds' clients ask for.
_AUTHORITY_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
_ZONE_LABEL = "topology.kubernetes.io/zone"
_FINAL_EXIT = 3  # the same try again would end the same way
_MOST_TRIES = 6
# A node that is gone must not hold a download for five minutes.
_LOST_NODE_SECONDS = 30


class Task(StrEnum):
    """What a job does."""

    INSPECT = "inspect"
    FETCH = "fetch"


@dataclass(frozen=True)
class Mounted:
    """The claim that a job mounts."""

    claim: str
    read_only: bool
    one_node: bool
    bound: bool


@dataclass(frozen=True)
class Errand:
    """One job."""

    task: Task
    name: str
    args: tuple[str, ...]
    question: Mapping[str, Any]
    mounted: Mounted | None


def job_body(deployment: ModelDeployment, cluster: Cluster, errand: Errand) -> Json:
    name = deployment.metadata.name
    labels = identity_labels(name) | {TASK_LABEL: errand.task.value}
    mounted = errand.mounted
    pod_labels = labels | (claim_label(mounted.claim) if mounted and mounted.one_node else {})
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": errand.name,
            "namespace": deployment.metadata.namespace,
            "labels": labels,
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "backoffLimit": _MOST_TRIES,
            "podFailurePolicy": {
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": TASK_CONTAINER, "operator": "In", "values": [_FINAL_EXIT]},
                    },
                ]
            },
            "template": {
                "metadata": {"labels": pod_labels},
                "spec": _pod_spec(deployment, cluster, errand),
            },
        },
    }


def _pod_spec(deployment: ModelDeployment, cluster: Cluster, errand: Errand) -> Json:
    spec, settings = deployment.spec, cluster.configuration
    lost = [
        {"key": f"node.kubernetes.io/{state}", "operator": "Exists", "effect": "NoExecute"}
        | {"tolerationSeconds": _LOST_NODE_SECONDS}
        for state in ("not-ready", "unreachable")
    ]
    optional = {
        "serviceAccountName": spec.model.service_account_name,
        "imagePullSecrets": [{"name": secret} for secret in settings.pods.image_pull_secrets],
    } | _where(deployment, cluster, errand.mounted)
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        # The owner of a terabyte of files is not set anew each time.
        "securityContext": pod_security() | {"fsGroup": NOBODY, "fsGroupChangePolicy": "OnRootMismatch"},
        "containers": [_container(deployment, cluster, errand)],
        "volumes": _volumes(deployment, settings.weights.ca_bundle, errand.mounted),
        "tolerations": [*tolerations(spec, settings), *lost],
    } | {field: value for field, value in optional.items() if value}


def _where(deployment: ModelDeployment, cluster: Cluster, mounted: Mounted | None) -> Json:
    """A volume that one node mounts has to be where the replicas can be; any other job may run anywhere."""
    if mounted is None or not mounted.one_node:
        return {}
    affinity = beside_the_volume(mounted.claim)
    if mounted.bound:
        return {"affinity": affinity}  # its volume says itself where it is
    constraints = node_constraints(deployment.spec, cluster.configuration)
    expressions = [
        expression
        for term in _required_terms(constraints.get("affinity") or {})
        for expression in term["matchExpressions"]
    ]
    if zones := _zones_of_accelerators(deployment, cluster):
        expressions.append({"key": _ZONE_LABEL, "operator": "In", "values": zones})
    if expressions:
        affinity |= {"nodeAffinity": required_nodes(expressions)}
    return {"nodeSelector": constraints.get("nodeSelector"), "affinity": affinity}


def _required_terms(affinity: Mapping[str, Any]) -> list[Json]:
    required = affinity.get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", {})
    terms: list[Json] = required.get("nodeSelectorTerms", [])
    return terms


def _zones_of_accelerators(deployment: ModelDeployment, cluster: Cluster) -> list[str]:
    """Empty where no node can be seen: the pool may be at zero, and any zone may be right."""
    accelerator = deployment.spec.accelerator
    if not accelerator.count:
        return []
    zones = {
        node.labels.get(_ZONE_LABEL, "")
        for node in cluster.nodes or ()
        if node.allocatable.get(accelerator.resource_name, 0) >= accelerator.count
    }
    return sorted(zones) if "" not in zones else []


def _container(deployment: ModelDeployment, cluster: Cluster, errand: Errand) -> Json:
    spec, settings = deployment.spec, cluster.configuration.weights
    question = json.dumps(errand.question, sort_keys=True, separators=(",", ":"))
    secret = spec.model.secret_ref
    bundle = settings.ca_bundle
    trust = dict.fromkeys(_AUTHORITY_VARIABLES, f"{_AUTHORITIES}/{bundle.key}") if bundle else {}
    # Home is the one place that is writable.
    values = {"HOME": "/tmp", **trust, **settings.env, "STOKER_TASK": question}  # noqa: S108
    if secret:
        values = {"DOCKER_CONFIG": CREDENTIALS} | values
    resources = {
        "requests": {name: str(amount) for name, amount in settings.requests.items()},
        "limits": {name: str(amount) for name, amount in settings.limits.items()},
    }
    mounts: list[Json] = [{"name": "scratch", "mountPath": "/tmp"}]  # noqa: S108
    if errand.mounted:
        read_only = {"readOnly": True} if errand.mounted.read_only else {}
        mounts.append({"name": "weights", "mountPath": ROOT} | read_only)
    if secret:
        mounts.append({"name": "credentials", "mountPath": CREDENTIALS, "readOnly": True})
    if bundle:
        mounts.append({"name": "authorities", "mountPath": _AUTHORITIES, "readOnly": True})
    return {
        "name": TASK_CONTAINER,
        "image": str(cluster.configuration.runtime.image),
        "args": [errand.task.value, *errand.args],
        "env": [{"name": name, "value": value} for name, value in values.items()],
        "resources": {kind: amounts for kind, amounts in resources.items() if amounts},
        "securityContext": container_security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    } | ({"envFrom": [{"secretRef": {"name": secret.name}}]} if secret else {})


def _volumes(deployment: ModelDeployment, bundle: CaBundle | None, mounted: Mounted | None) -> list[Json]:
    volumes: list[Json] = [{"name": "scratch", "emptyDir": {}}]
    if secret := deployment.spec.model.secret_ref:
        volumes.append({"name": "credentials", "secret": {"secretName": secret.name}})
    if bundle:
        volumes.append({"name": "authorities", "configMap": {"name": bundle.name}})
    if mounted:
        source = {"claimName": mounted.claim} | ({"readOnly": True} if mounted.read_only else {})
        volumes.append({"name": "weights", "persistentVolumeClaim": source})
    return volumes
