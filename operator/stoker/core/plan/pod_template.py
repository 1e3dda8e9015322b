"""The pods of a replica, rendered from the spec, its engine, its weights and the operator's configuration.

It is rendered once for a revision and then kept. What it guarantees whatever the spec says: no API token, no
privileges, no root, a read-only root file system; the weights read-only; a start that may be long and a failure that is
seen fast; leaving by way of a pause in which routing catches up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stoker.api.configuration import AgentPlace, Configuration
from stoker.api.v1alpha1.modeldeployment import ModelDeployment, Spec
from stoker.core.control_token import ControlKey
from stoker.core.engine import Server, Worker
from stoker.core.names import (
    AGENT_PORT,
    METRICS_PATH,
    MODEL_LABEL,
    REVISION_LABEL,
    SERVER_CONTAINER,
    SERVER_PORT,
    TIER_LABEL,
    Tier,
    identity_labels,
)
from stoker.core.plan.agent import CONTROL_PORT, Agent, agent_args, around, beside, farewell, probes, serve_port
from stoker.core.plan.allowed import template_patch
from stoker.core.plan.compiled import kept_compiled
from stoker.core.plan.placement import beside_the_volume, claim_label, node_constraints
from stoker.core.plan.strategic_merge import merged
from stoker.core.plan.unprivileged import container_security, pod_security
from stoker.core.plan.weights import Weights

Json = dict[str, Any]

WEIGHTS_PATH = "/mnt/weights"
# Routing follows the loss of a label or an endpoint within about a second; the rest is for slower clusters.
OFF_TRAFFIC_SECONDS = 5
# Between the end of the drain and the kill, so that the engine can say goodbye.
LAST_WORDS_SECONDS = 30
_DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
_PROBE_SECONDS = 2


def weights_path(weights: Weights) -> str:
    return f"{WEIGHTS_PATH}/{weights.path}".rstrip("/")


@dataclass(frozen=True)
class Parts:
    """What a pod is put together from, besides the spec."""

    revision: str
    image: str
    server: Server
    weights: Weights
    settings: Configuration
    place: AgentPlace = AgentPlace.NONE
    key: ControlKey | None = None


def pod_template(deployment: ModelDeployment, parts: Parts) -> Json:
    """With the user's own patch merged over it."""
    spec = deployment.spec
    name = deployment.metadata.name
    container, sidecars = _with_agent(deployment, parts, _container(spec, parts, parts.server))
    rendered = {
        "metadata": {
            "labels": _labels(name, parts) | {TIER_LABEL: Tier.SERVING.value},
            "annotations": _scrape_annotations(parts),
        },
        "spec": _pod_spec(spec, name, parts)
        | {
            "terminationGracePeriodSeconds": OFF_TRAFFIC_SECONDS + spec.drain.grace_seconds + LAST_WORDS_SECONDS,
            "containers": [container],
        }
        | ({"initContainers": sidecars} if sidecars else {}),
    }
    return _patched(rendered, spec)


def _with_agent(deployment: ModelDeployment, parts: Parts, container: Json) -> tuple[Json, list[Json]]:
    """The server's container as the agent's place wants it, and the containers that start before it."""
    if parts.place is AgentPlace.NONE:
        return container | _serving(parts), []
    spec, settings, weights = deployment.spec, parts.settings, parts.weights
    agent = Agent(
        parts.place,
        str(settings.runtime.image),
        min(OFF_TRAFFIC_SECONDS, spec.drain.grace_seconds),
        # Only a folder that Stoker filled has a manifest.
        weights_path(weights) if weights.folder else None,
        spec.model.served_name or deployment.metadata.name,
    )
    args = agent_args(agent, deployment, parts.server, settings, parts.key)
    ports = [
        {"name": SERVER_PORT, "containerPort": serve_port(parts.server)},
        {"name": AGENT_PORT, "containerPort": CONTROL_PORT},
    ]
    container |= {"ports": ports} | probes(settings)
    if kept := kept_compiled(deployment, parts.server, weights, parts.image, parts.place):
        args = (*args, *kept.arguments)
        container |= {"volumeMounts": [*container["volumeMounts"], kept.mount]}
    if parts.place is AgentPlace.INSIDE:
        return container | around(args, parts.server), []
    sidecar = beside(agent, args, container, settings)
    hook = farewell(deployment, parts.key)
    return container | ({"lifecycle": hook} if hook else {}), [sidecar]


def worker_template(deployment: ModelDeployment, parts: Parts, worker: Worker) -> Json:
    """Of the other pods, where a replica spans several: no tier, no port and no probes, since nobody asks them. They
    end after their leader, so they need no time to drain."""
    spec = deployment.spec
    name = deployment.metadata.name
    rendered = {
        "metadata": {
            "labels": _labels(name, parts),
            "annotations": {_DEFAULT_CONTAINER: SERVER_CONTAINER},
        },
        "spec": _pod_spec(spec, name, parts)
        | {
            "terminationGracePeriodSeconds": LAST_WORDS_SECONDS,
            "containers": [_container(spec, parts, worker)],
        },
    }
    return _patched(rendered, spec)


def _patched(rendered: Json, spec: Spec) -> Json:
    patch = template_patch(spec)
    return merged(rendered, patch) if patch else rendered


def _labels(name: str, parts: Parts) -> dict[str, str]:
    beside = claim_label(parts.weights.claim) if parts.weights.one_node else {}
    return identity_labels(name) | {REVISION_LABEL: parts.revision} | beside


def _scrape_annotations(parts: Parts) -> Json:
    """Of the engine's own metrics, where it has any; the agent passes them on."""
    server = parts.server
    scraped = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(server.port if parts.place is AgentPlace.NONE else serve_port(server)),
        METRICS_PATH: server.metrics_path,
    }
    return (scraped if server.metrics else {}) | {_DEFAULT_CONTAINER: SERVER_CONTAINER}


def _pod_spec(spec: Spec, name: str, parts: Parts) -> Json:
    settings = parts.settings
    pods = settings.pods
    optional = {
        "priorityClassName": pods.priority_class_name,
        "runtimeClassName": pods.runtime_class_name,
        "imagePullSecrets": [{"name": secret} for secret in pods.image_pull_secrets],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": pod_security(),
        "topologySpreadConstraints": [_spread_over_nodes(name)],
        "volumes": _volumes(parts, settings),
    } | {field: value for field, value in (_constraints(spec, parts) | optional).items() if value}


def _constraints(spec: Spec, parts: Parts) -> Json:
    constraints = node_constraints(spec, parts.settings)
    if parts.weights.one_node:
        constraints["affinity"] = constraints.get("affinity", {}) | beside_the_volume(parts.weights.claim)
    return constraints


def _serving(parts: Parts) -> Json:
    server, settings = parts.server, parts.settings
    return {
        "ports": [{"name": SERVER_PORT, "containerPort": server.port}],
        "startupProbe": _probe(server, _PROBE_SECONDS, settings.pods.startup_seconds // _PROBE_SECONDS),
        "readinessProbe": _probe(server, _PROBE_SECONDS, 2),
        # A busy engine may answer late; only one that has not answered for two minutes is ended.
        "livenessProbe": _probe(server, 10, 12),
        "lifecycle": {"preStop": {"sleep": {"seconds": OFF_TRAFFIC_SECONDS}}},
    }


def _container(spec: Spec, parts: Parts, process: Server | Worker) -> Json:
    container = {
        "name": SERVER_CONTAINER,
        "image": parts.image,
        "args": list(process.args),
        "env": _environment(spec, process.env, parts.settings),
        "resources": _resources(spec),
        "securityContext": container_security(),
        # What the engine said last reaches the status without reading logs.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            _weights_mount(parts.weights),
            {"name": "shared-memory", "mountPath": "/dev/shm"},  # noqa: S108 - where engines look for it
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - the one place that is writable
            *([{"name": "compiled", "mountPath": process.compiled_path}] if process.compiled_path else ()),
        ],
    }
    return container | ({"command": list(process.command)} if process.command else {})


def _weights_mount(weights: Weights) -> Json:
    """Of a volume that Stoker fills, a server sees its own model and nothing else."""
    mount = {"name": "weights", "mountPath": WEIGHTS_PATH, "readOnly": True}
    return mount | ({"subPath": weights.folder} if weights.folder else {})


def _environment(spec: Spec, own: Mapping[str, str], settings: Configuration) -> list[Json]:
    """The user's over the configuration's over the profile's."""
    values: dict[str, Json] = {
        name: {"name": name, "value": value}
        for name, value in {"HOME": "/tmp", **own, **settings.engine(spec.engine.name).env}.items()  # noqa: S108
    }
    for variable in spec.engine.env:
        values[variable.name] = variable.to_manifest()
    return list(values.values())


def _resources(spec: Spec) -> Json:
    requests = {name: str(amount) for name, amount in spec.resources.requests.items()}
    limits = {name: str(amount) for name, amount in spec.resources.limits.items()}
    if spec.accelerator.count:
        # Kubernetes wants request and limit of a device to be equal.
        device = {spec.accelerator.resource_name: str(spec.accelerator.count)}
        requests |= device
        limits |= device
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def _probe(server: Server, period_seconds: int, failures: int) -> Json:
    return {
        "httpGet": {"path": server.health_path, "port": SERVER_PORT},
        "periodSeconds": period_seconds,
        "timeoutSeconds": period_seconds,
        "failureThreshold": failures,
    }


def _spread_over_nodes(name: str) -> Json:
    """So that one node's end is not the model's."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {MODEL_LABEL: name}},
    }


def _volumes(parts: Parts, settings: Configuration) -> list[Json]:
    # Of one pod, so that no engine reads what another one writes. It outlives the engine's process, so that a start
    # after a crash compiles nothing.
    compiled = {"name": "compiled", "emptyDir": {"sizeLimit": str(settings.pods.compiled)}}
    return [
        {"name": "weights", "persistentVolumeClaim": {"claimName": parts.weights.claim}},
        {"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": str(settings.pods.shared_memory)}},
        {"name": "scratch", "emptyDir": {}},
        *([compiled] if parts.server.compiled_path else ()),
    ]
