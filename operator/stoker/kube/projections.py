"""From an object as the API server writes it to what decisions need of it; the rest is forgotten at once."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stoker.api.values.quantity import Quantity
from stoker.core.names import (
    AGENT_PORT,
    DRAINING_SINCE,
    GROUP_LABEL,
    LEFT_FROM,
    METRICS_PATH,
    MODEL_LABEL,
    PROTECTION,
    REVISION_LABEL,
    SERVER_PORT,
    TASK_LABEL,
    TASK_RESULT,
    TIER_LABEL,
    replica_set_name,
)
from stoker.core.plan.snapshot import (
    Claim,
    Container,
    Group,
    Identity,
    Job,
    Node,
    Owned,
    Pod,
    ReplicaSet,
    Revision,
    Termination,
    Trouble,
)
from stoker.kube.devices import devices

Json = Mapping[str, Any]
# What a node keeps of a termination message. Half of one is not JSON any more, and its verdict is lost.
_LONGEST_LAST_WORDS = 4096


def identity(item: Json) -> Identity:
    metadata = item["metadata"]
    return Identity(metadata.get("namespace", ""), metadata["name"], metadata["uid"], metadata["resourceVersion"])


def owner_uid(item: Json) -> str:
    """Of the controller. One that is owned by somebody without being controlled counts as nobody's."""
    owners = item["metadata"].get("ownerReferences") or ()
    return next((str(owner["uid"]) for owner in owners if owner.get("controller")), "")


def model_of(item: Json) -> str:
    """The name of the ModelDeployment that an object is labelled with."""
    return str((item["metadata"].get("labels") or {}).get(MODEL_LABEL, ""))


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def pod(item: Json) -> Pod:
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    labels = metadata.get("labels") or {}
    conditions = {condition["type"]: condition for condition in status.get("conditions") or ()}
    ready = conditions.get("Ready", {})
    scheduled = conditions.get("PodScheduled", {})
    is_ready = ready.get("status") == "True"
    ports = {port.get("name"): port["containerPort"] for each in spec["containers"] for port in each.get("ports") or ()}
    return Pod(
        identity=identity(item),
        revision=labels.get(REVISION_LABEL, ""),
        tier=labels.get(TIER_LABEL, ""),
        owner_uid=owner_uid(item),
        created=moment(metadata["creationTimestamp"]) or datetime.min.replace(tzinfo=UTC),
        phase=status.get("phase", ""),
        ready=is_ready,
        ready_since=moment(ready.get("lastTransitionTime")) if is_ready else None,
        node=spec.get("nodeName", ""),
        # Errors of the scheduler itself pass, and say nothing of the nodes.
        unschedulable=scheduled.get("message", "") if scheduled.get("reason") == "Unschedulable" else "",
        deleting="deletionTimestamp" in metadata,
        draining_since=moment((metadata.get("annotations") or {}).get(DRAINING_SINCE)),
        left_from=(metadata.get("annotations") or {}).get(LEFT_FROM, ""),
        group=labels.get(GROUP_LABEL, ""),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        containers=tuple(
            _container(container)
            for container in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
        ),
        ip=status.get("podIP", ""),
        protected=PROTECTION.items() <= (metadata.get("annotations") or {}).items(),
        agent_port=ports.get(AGENT_PORT, 0),
        server_port=ports.get(SERVER_PORT, 0),
        metrics_path=(metadata.get("annotations") or {}).get(METRICS_PATH, ""),
        placed_since=moment(scheduled.get("lastTransitionTime")) if scheduled.get("status") == "True" else None,
        unready_since=moment(ready.get("lastTransitionTime")) if not is_ready else None,
        gone_by=moment(metadata.get("deletionTimestamp")),
        devices=tuple(devices(spec).items()),
    )


def _container(status: Json) -> Container:
    waiting = (status.get("state") or {}).get("waiting") or {}
    ended = (status.get("state") or {}).get("terminated") or (status.get("lastState") or {}).get("terminated")
    return Container(
        name=status["name"],
        started=bool(status.get("started")),
        waiting_reason=waiting.get("reason", ""),
        waiting_message=waiting.get("message", ""),
        restarts=status.get("restartCount", 0),
        last_end=Termination(
            ended.get("exitCode", 0), ended.get("reason", ""), (ended.get("message") or "")[-_LONGEST_LAST_WORDS:]
        )
        if ended
        else None,
        image_id=status.get("imageID", ""),
    )


def replica_set(item: Json) -> ReplicaSet:
    metadata, spec, status = item["metadata"], item["spec"], item.get("status") or {}
    failure = next(
        (
            condition.get("message", "")
            for condition in status.get("conditions") or ()
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
        ),
        "",
    )
    return ReplicaSet(
        identity=identity(item),
        revision=(metadata.get("labels") or {}).get(REVISION_LABEL, ""),
        owner_uid=owner_uid(item),
        count=spec.get("replicas", 1),
        count_writer=_writer_of_count(metadata.get("managedFields") or ()),
        generation=metadata.get("generation", 0),
        pods=status.get("replicas", 0),
        observed=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        failure=failure,
        deleting="deletionTimestamp" in metadata,
    )


def _writer_of_count(managed: tuple[Json, ...]) -> str:
    for entry in managed:
        if "f:replicas" in ((entry.get("fieldsV1") or {}).get("f:spec") or {}):
            return str(entry.get("manager", ""))
    return ""


def group(item: Json) -> Group:
    metadata = item["metadata"]
    return Group(
        identity=identity(item),
        revision=(metadata.get("labels") or {}).get(REVISION_LABEL, ""),
        owner_uid=owner_uid(item),
        created=moment(metadata["creationTimestamp"]) or datetime.min.replace(tzinfo=UTC),
        size=item["spec"]["leaderWorkerTemplate"].get("size", 1),
        draining_since=moment((metadata.get("annotations") or {}).get(DRAINING_SINCE)),
        deleting="deletionTimestamp" in metadata,
    )


def revision(item: Json) -> Revision | None:
    """None for those that StatefulSets keep of themselves, under the labels of their pods, which are a model's."""
    name = (item["metadata"].get("labels") or {}).get(REVISION_LABEL, "")
    if item["metadata"]["name"] != replica_set_name(model_of(item), name):
        return None
    return Revision(
        identity=identity(item),
        name=name,
        number=item["revision"],
        owner_uid=owner_uid(item),
        data=_compact(item["data"]),
    )


def owned(item: Json) -> Owned:
    metadata = item["metadata"]
    body = {
        "metadata": {key: metadata[key] for key in ("labels", "ownerReferences") if key in metadata},
        "spec": item.get("spec") or {},
    }
    return Owned(identity(item), owner_uid(item), _compact(body))


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def claim(item: Json) -> Claim:
    spec, status = item["spec"], item.get("status") or {}
    return Claim(
        identity=identity(item),
        phase=status.get("phase", ""),
        access_modes=tuple(status.get("accessModes") or spec.get("accessModes") or ()),
        storage_class=spec.get("storageClassName"),
        bound=status.get("phase") == "Bound",
        model=model_of(item),
        owner_uid=owner_uid(item),
        size_bytes=_bytes(((spec.get("resources") or {}).get("requests") or {}).get("storage")),
        deleting="deletionTimestamp" in item["metadata"],
    )


def _bytes(text: str | None) -> int | None:
    try:
        return int(Quantity.parse(text).amount) if text else None
    except ValueError:
        return None


def job(item: Json) -> Job:
    metadata, status = item["metadata"], item.get("status") or {}
    held = {
        condition["type"]: condition
        for condition in status.get("conditions") or ()
        if condition.get("status") == "True"
    }
    failed = held.get("Failed", {})
    return Job(
        identity=identity(item),
        task=(metadata.get("labels") or {}).get(TASK_LABEL, ""),
        owner_uid=owner_uid(item),
        succeeded="Complete" in held,
        failure=f"{failed.get('reason', '')}: {failed.get('message', '')}" if failed else "",
        ended_at=moment((held.get("Complete") or failed).get("lastTransitionTime")),
        result=(metadata.get("annotations") or {}).get(TASK_RESULT, ""),
        deleting="deletionTimestamp" in metadata,
    )


def trouble(item: Json) -> Trouble:
    about = item["involvedObject"]
    return Trouble(about.get("kind", ""), about.get("name", ""), item.get("reason", ""), item.get("message", ""))


# What says that a node is about to go, or is gone; a cordon is a mark of its own.
_LEAVING_TAINTS = frozenset(
    {
        "node.kubernetes.io/unreachable",
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/out-of-service",
        "node.cloudprovider.kubernetes.io/shutdown",
        "karpenter.sh/disrupted",
        "ToBeDeletedByClusterAutoscaler",
        "cloud.google.com/impending-node-termination",
        "aws-node-termination-handler/spot-itn",
        "aws-node-termination-handler/scheduled-maintenance",
        "aws-node-termination-handler/rebalance-recommendation",
    }
)


def node(item: Json) -> Node:
    taints = {taint.get("key", "") for taint in item["spec"].get("taints") or ()}
    cordoned = bool(item["spec"].get("unschedulable"))
    allocatable = (item.get("status") or {}).get("allocatable") or {}
    return Node(
        name=item["metadata"]["name"],
        labels=item["metadata"].get("labels") or {},
        allocatable={name: int(amount) for name, amount in allocatable.items() if "/" in name and amount.isdigit()},
        schedulable=not cordoned,
        leaving=cordoned or bool(taints & _LEAVING_TAINTS),
    )


def may_grow(item: Json) -> bool:
    """Of a StorageClass: whether its volumes may be made larger."""
    return bool(item.get("allowVolumeExpansion"))
