"""Small worlds for the planner."""

from datetime import UTC, datetime, timedelta
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.parsing import LiveObject, parse_file
from stoker.api.v1alpha1.modeldeployment import ModelDeployment, ObjectMeta
from stoker.api.v1alpha1.status import Status
from stoker.core.plan.snapshot import (
    Claim,
    Cluster,
    Container,
    Group,
    Identity,
    Pod,
    ReplicaSet,
    Snapshot,
    Termination,
    Trouble,
)
from stoker.engines import PROFILES

NOW = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)
UID = "uid-of-the-model"


def deployment(replicas: int = 2, status: Status | None = None, **spec: Any) -> ModelDeployment:
    manifest = {
        "apiVersion": "stoker.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {
            "name": "llama",
            "namespace": "models",
            "uid": UID,
            "generation": 1,
            "annotations": spec.pop("annotations", {}),
        },
        "spec": {
            "model": {"source": "pvc://weights/llama"},
            "engine": {"name": "simulated", "image": "registry.example.com/simulated:1"},
            "replicas": replicas,
            "scaling": {"maxReplicas": 20},
        }
        | spec,
    }
    parsed = parse_file(manifest)
    return parsed.model_copy(update={"status": status}) if status else parsed


def written_through_scale_by(manager: str, **spec: Any) -> ModelDeployment:
    """As managedFields tell it."""
    model = deployment(**spec)
    entry = {"manager": manager, "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    parsed = ObjectMeta.model_validate({"managed_fields": (entry,)}, strict=False, by_name=True)
    metadata = model.metadata.model_copy(update={"managed_fields": parsed.managed_fields})
    return model.model_copy(update={"metadata": metadata})


def claim(name: str = "weights", **changes: Any) -> Claim:
    values: dict[str, Any] = {
        "identity": Identity("models", name, f"uid-{name}", "1"),
        "phase": "Bound",
        "access_modes": ("ReadWriteMany",),
        "storage_class": None,
        "bound": True,
    }
    return Claim(**values | changes)


def cluster(**changes: Any) -> Cluster:
    configuration = changes.pop("configuration", {})
    settings = Configuration.model_validate(configuration, strict=False)
    return Cluster(settings, PROFILES, "1.0.0", **changes)


def snapshot(model: ModelDeployment | None = None, **changes: Any) -> Snapshot:
    values: dict[str, Any] = {
        "now": NOW,
        "live": LiveObject(model or deployment()),
        "cluster": cluster(),
        "claims": {"weights": claim()},
    }
    return Snapshot(**values | changes)


def replica_set(revision: str, count: int, **changes: Any) -> ReplicaSet:
    values: dict[str, Any] = {
        "identity": Identity("models", f"llama-{revision}", f"uid-{revision}", "1"),
        "revision": revision,
        "owner_uid": UID,
        "count": count,
        "count_writer": "stoker",
        "generation": 1,
        "pods": count,
        "observed": True,
        "failure": "",
        "deleting": False,
    }
    return ReplicaSet(**values | changes)


def group(revision: str, ordinal: int = 0, **changes: Any) -> Group:
    name = f"llama-{revision}-{ordinal}"
    values: dict[str, Any] = {
        "identity": Identity("models", name, f"uid-{name}", "1"),
        "revision": revision,
        "owner_uid": UID,
        "created": NOW - timedelta(minutes=10),
        "size": 2,
        "draining_since": None,
        "deleting": False,
    }
    return Group(**values | changes)


def group_pods(owner: Group, **changes: Any) -> tuple[Pod, ...]:
    """The leader, which the changes are of, and its workers."""
    leader = f"{owner.identity.name}-0"
    names = [leader, *(f"{leader}-{index}" for index in range(1, owner.size))]
    stateful_set = replica_set(owner.revision, owner.size, identity=Identity("models", "set", "uid-set", "1"))
    label = {"group": owner.identity.name}
    return tuple(
        pod(name, stateful_set, **({"tier": "serving"} | changes if name == leader else {"tier": ""}) | label)
        for name in names
    )


def pod(name: str, owner: ReplicaSet, **changes: Any) -> Pod:
    ready = changes.get("ready", True)
    values: dict[str, Any] = {
        "identity": Identity("models", name, f"uid-{name}", "1"),
        "revision": owner.revision,
        "tier": "serving",
        "owner_uid": owner.identity.uid,
        "created": NOW - timedelta(minutes=10),
        "phase": "Running",
        "ready": ready,
        "ready_since": NOW if ready else None,
        "node": "node-1",
        "unschedulable": "",
        "deleting": False,
        "draining_since": None,
        "left_from": "",
        "group": "",
        "reason": "",
        "message": "",
        "containers": (container(),),
    }
    return Pod(**values | changes)


def container(**changes: Any) -> Container:
    values: dict[str, Any] = {
        "name": "server",
        "started": True,
        "waiting_reason": "",
        "waiting_message": "",
        "restarts": 0,
        "last_end": None,
        "image_id": "",
    }
    return Container(**values | changes)


def ended(exit_code: int, reason: str = "Error", message: str = "", restarts: int = 1, **changes: Any) -> Container:
    """A container that ended and was started again."""
    return container(started=False, restarts=restarts, last_end=Termination(exit_code, reason, message), **changes)


def trouble(about: Pod, reason: str, message: str) -> Trouble:
    return Trouble("Pod", about.identity.name, reason, message)
