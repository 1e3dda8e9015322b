"""Worlds in which weights are on their way."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from stoker.core.plan.actions import CreateJob
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Claim, Cluster, Identity, Job, Node, Pod, Snapshot
from stoker_runtime.facts import Attention, Facts, Format, LayerGroup
from tests.unit.plan.builders import NOW, UID, claim, cluster, deployment, ended, pod, replica_set, snapshot

GIB = 1 << 30
IMAGE = "registry.example.com/stoker/runtime:1"
FACTS = Facts(
    format=Format.SAFETENSORS,
    parameters=8_030_261_248,
    active_parameters=8_030_261_248,
    weight_bytes=16_060_522_496,
    embedding_bytes=2_101_346_304,
    layers=32,
    groups=(LayerGroup(32, Attention.FULL, kv_heads=8, key_size=128, value_size=128),),
    architecture="LlamaForCausalLM",
    dtype="bfloat16",
    hidden_size=4096,
    intermediate_size=14_336,
    attention_heads=32,
    vocabulary=128_256,
    context_length=131_072,
)
FOLDER = "hf-org-name-0e9e39f249a1-1a2b3c4d"
INSPECTED = {
    "ok": True,
    "revision": "0e9e39f249a16976918f6564b8830bc894c89659",
    "folder": FOLDER,
    "totalBytes": 16 * GIB,
    "files": 9,
    "facts": FACTS.to_json(),
}
FETCHED = {"ok": True, "folder": FOLDER, "revision": INSPECTED["revision"], "bytes": 16 * GIB, "files": 9}


def with_image(**configuration: Any) -> Cluster:
    return cluster(configuration={"runtime": {"image": IMAGE}, **configuration})


def hub(replicas: int = 1, **changes: Any) -> Snapshot:
    """A model of a hub, of which nothing is known yet."""
    spec = changes.pop("spec", {})
    world: dict[str, Any] = {"cluster": with_image(), "claims": {}}
    return snapshot(deployment(replicas, **{"model": {"source": "hf://org/name@main"}} | spec), **world | changes)


def wanted_job(world: Snapshot) -> dict[str, Any]:
    """The body of the one job that the plan makes."""
    bodies = [action.body for action in plan(world).actions if isinstance(action, CreateJob)]
    assert len(bodies) == 1, [type(action).__name__ for action in plan(world).actions]
    return bodies[0]


def with_job(world: Snapshot, **changes: Any) -> Snapshot:
    """With the job that the plan wants, running unless told otherwise."""
    return replace(world, jobs=(*world.jobs, job_for(wanted_job(world), **changes)))


def job_for(body: dict[str, Any], **changes: Any) -> Job:
    name = body["metadata"]["name"]
    values: dict[str, Any] = {
        "identity": Identity("models", name, f"uid-{name}", "1"),
        "task": body["metadata"]["labels"]["stoker.dev/task"],
        "owner_uid": UID,
        "succeeded": False,
        "failure": "",
        "ended_at": None,
        "result": "",
        "deleting": False,
    }
    return Job(**values | changes)


def answered(world: Snapshot, value: dict[str, Any]) -> Snapshot:
    """With the job that the plan wants, done, and its answer kept."""
    return with_job(world, succeeded=True, ended_at=NOW, result=json.dumps(value))


def failed(world: Snapshot, reason: str, message: str, ago_seconds: float = 0.0) -> Snapshot:
    result = json.dumps({"ok": False, "reason": reason, "message": message})
    ended_at = NOW - timedelta(seconds=ago_seconds)
    return with_job(world, failure="PodFailurePolicy: exit code 3", ended_at=ended_at, result=result)


def inspected(world: Snapshot | None = None, **facts: Any) -> Snapshot:
    return answered(world or hub(), INSPECTED | ({"facts": replace(FACTS, **facts).to_json()} if facts else {}))


def own_claim(**changes: Any) -> Claim:
    return claim("llama-weights", **{"model": "llama", "size_bytes": 40 * GIB} | changes)


def claimed(world: Snapshot | None = None, **changes: Any) -> Snapshot:
    world = world or inspected()
    return replace(world, claims={"llama-weights": own_claim(**changes)})


def fetched(world: Snapshot | None = None) -> Snapshot:
    return answered(world or claimed(), FETCHED)


def on_an_h100(**facts: Any) -> Snapshot:
    """Inspected, with a node of one GPU in sight."""
    labels = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}
    node = Node("gpu-1", labels, {"nvidia.com/gpu": 1}, schedulable=True)
    engine = {"name": "simulated", "image": "registry.example.com/simulated:1", "contextLength": 8192}
    world = hub(cluster=replace(with_image(), nodes=(node,)), spec={"accelerator": {"count": 1}, "engine": engine})
    return inspected(world, **facts)


def pod_of(job: Job, **changes: Any) -> Pod:
    """A job's pod."""
    found = pod(f"{job.identity.name}-x", replica_set("", 1), **{"tier": ""} | changes)
    return replace(found, owner_uid=job.identity.uid)


def last_words(message: str, exit_code: int = 0) -> Any:
    return ended(exit_code, "Completed" if exit_code == 0 else "Error", message, restarts=0, name="task")
