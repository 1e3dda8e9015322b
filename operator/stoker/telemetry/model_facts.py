"""What a ModelDeployment says of itself that is worth a series, read once for each of its versions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

_LONGEST_LABEL = 128


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """None: the object does not say."""

    engine: str
    served_name: str
    labels: tuple[tuple[str, str], ...]  # those that the configuration asks for
    resource: str  # that its replicas hold
    conditions: tuple[tuple[str, str, float], ...]  # type, reason, 1 or 0
    wanted: int | None
    floor: int | None
    limit: int | None
    queue_objective_seconds: float | None
    ttft_objective_seconds: float | None
    itl_objective_seconds: float | None
    weights_bytes: int | None
    fetched_bytes: int | None


def facts_of(manifest: Json, labels: Mapping[str, str]) -> ModelFacts:
    """`labels` names the label or annotation that each additional label is read from; one that is not there is
    empty."""
    spec, status, metadata = manifest["spec"], manifest.get("status") or {}, manifest["metadata"]
    scaling = spec.get("scaling") or {}
    objective, weights = scaling.get("objective") or {}, status.get("weights") or {}
    written = {**(metadata.get("annotations") or {}), **(metadata.get("labels") or {})}
    looked_at = bool(status.get("observedGeneration"))
    return ModelFacts(
        engine=str((spec.get("engine") or {}).get("name", "")),
        served_name=str((spec.get("model") or {}).get("servedName") or metadata["name"])[:_LONGEST_LABEL],
        labels=tuple((name, str(written.get(key, ""))[:_LONGEST_LABEL]) for name, key in labels.items()),
        resource=str((spec.get("accelerator") or {}).get("resourceName", "")),
        conditions=tuple(_conditions(status)),
        wanted=status.get("desiredReplicas") if looked_at else None,
        floor=spec.get("replicas"),
        limit=scaling.get("maxReplicas"),
        queue_objective_seconds=_seconds(scaling.get("queueWaitMilliseconds")),
        ttft_objective_seconds=_seconds(objective.get("ttftMilliseconds")),
        itl_objective_seconds=_seconds(objective.get("itlMilliseconds")),
        weights_bytes=weights.get("totalBytes"),
        fetched_bytes=weights.get("fetchedBytes"),
    )


def _conditions(status: Json) -> Iterator[tuple[str, str, float]]:
    for condition in status.get("conditions") or ():
        if condition["status"] in ("True", "False"):
            yield str(condition["type"]), str(condition["reason"]), float(condition["status"] == "True")


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000
