"""ModelDeployments as an API server answers them."""

import copy
from typing import Any

from stoker.cli.fleet.seen import Seen, seen

Json = dict[str, Any]

CONDITIONS = {
    "Ready": ("True", "Serving", "2 of 2 replicas take traffic."),
    "WeightsReady": ("True", "WeightsFound", "The weights are on the claim llama-8b-weights."),
    "Scheduled": ("True", "AllScheduled", "Every replica has a node."),
    "Progressing": ("False", "Settled", "No rollout is under way."),
    "ScalingActive": ("True", "FollowingLoad", "2: nothing asks for a change"),
    "ScalingLimited": ("False", "WithinLimits", "No limit holds replicas back."),
    "UpdateAvailable": ("False", "UpToDate", "The pods have today's defaults."),
    "Degraded": ("False", "NoProblem", "Nothing is known to be wrong."),
    "Reconciling": ("False", "Settled", "Nothing is under way."),
    "Stalled": ("False", "NoProblem", "Stoker can go on by itself."),
}
_SPEC = {
    "accelerator": {"resourceName": "nvidia.com/gpu", "count": 1},
    "replicas": 1,
    "scaling": {
        "mode": "Auto",
        "maxReplicas": 8,
        "warmReplicas": 1,
        "scaleDownDelaySeconds": 120,
        "idleSeconds": 600,
    },
}
_STATUS = {
    "observedGeneration": 3,
    "replicas": 2,
    "readyReplicas": 2,
    "desiredReplicas": 2,
    "warmReplicas": 1,
    "asleepReplicas": 0,
    "startingReplicas": 0,
    "drainingReplicas": 0,
    "accelerators": 3,
    "waitingRequests": 4,
    "runningRequests": 17,
    "currentRevision": "3f9a1c07be",
    "scaling": {
        "decision": "ScaleUp",
        "explanation": "1 → 2: 31 requests wait",
        "decisionTime": "2026-11-21T08:00:00Z",
        "capacities": [
            {
                "revision": "3f9a1c07be",
                "product": "NVIDIA-L4",
                "concurrency": 10,
                "milliRequestsPerSecond": 1500,
                "confidencePercent": 90,
                "observedSeconds": 600,
            }
        ],
        "stages": [{"name": "loading", "p50Milliseconds": 24_000, "p90Milliseconds": 41_000}],
    },
}


def conditions(**changed: tuple[str, str, str]) -> list[Json]:
    return [
        {"type": kind, "status": status, "reason": reason, "message": message}
        for kind, (status, reason, message) in (CONDITIONS | changed).items()
    ]


def item(
    name: str = "llama-8b", *, spec: Json | None = None, status: Json | None = None, **changed: tuple[str, str, str]
) -> Json:
    """A model that serves, but for what is given."""
    metadata = {"name": name, "namespace": "models", "generation": 3, "uid": f"uid-of-{name}"}
    whole = copy.deepcopy(_SPEC) | (spec or {})
    told = copy.deepcopy(_STATUS) | {"conditions": conditions(**changed)} | (status or {})
    return {"metadata": metadata, "spec": whole, "status": told}


def model(
    name: str = "llama-8b", *, spec: Json | None = None, status: Json | None = None, **changed: tuple[str, str, str]
) -> Seen:
    return seen(item(name, spec=spec, status=status, **changed))


def untouched() -> Seen:
    """As the API server makes it, before any operator looked."""
    waiting = "WaitingForOperator"
    status = {
        "observedGeneration": 0,
        "conditions": [
            {"type": "Ready", "status": "Unknown", "reason": waiting, "message": "Nobody looked."},
            {"type": "Reconciling", "status": "True", "reason": waiting, "message": "Nobody looked."},
        ],
        **dict.fromkeys(("replicas", "readyReplicas", "desiredReplicas", "accelerators"), 0),
    }
    metadata = {"name": "fresh", "namespace": "models", "generation": 1, "uid": "u"}
    return seen({"metadata": metadata, "spec": copy.deepcopy(_SPEC), "status": status})
