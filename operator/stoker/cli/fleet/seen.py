"""A ModelDeployment as a client reads it: tolerantly, since the object may be of a newer or an older operator.

A number that nobody has told is None and is never shown as 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """One condition."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True)
class Tiers:
    """Replicas by what they are there for."""

    ready: int | None
    """Serving replicas that take traffic."""
    wanted: int | None
    """Serving replicas that the traffic needs."""
    serving: int
    """Serving replicas, ready or not."""
    warm: int
    asleep: int
    starting: int
    """Replicas that are not loaded yet, of any tier."""
    draining: int


@dataclass(frozen=True)
class Aims:
    """What the spec says of the number of replicas."""

    mode: str
    floor: int | None
    maximum: int | None
    warm: int
    suspended: bool


@dataclass(frozen=True)
class Seen:
    """One ModelDeployment."""

    namespace: str
    name: str
    generation: int
    observed_generation: int
    resource: str
    """What its accelerators are called, such as nvidia.com/gpu."""
    held: int | None
    """Accelerators that its replicas hold."""
    tiers: Tiers
    aims: Aims
    waiting: int | None
    running: int | None
    conditions: Mapping[str, Said]
    raw: Json

    @property
    def stale(self) -> bool:
        """Whether no operator has looked at the spec as it is now."""
        return self.observed_generation < self.generation

    @property
    def is_ready(self) -> bool:
        return not self.stale and self.says("Ready", "True")

    def says(self, condition: str, status: str) -> bool:
        said = self.conditions.get(condition)
        return said is not None and said.status == status


def seen(item: Json) -> Seen:
    metadata, spec, status = part(item, "metadata"), part(item, "spec"), part(item, "status")
    accelerator, scaling = part(spec, "accelerator"), part(spec, "scaling")
    looked_at = bool(number_in(status, "observedGeneration"))
    return Seen(
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        generation=number_in(metadata, "generation") or 0,
        observed_generation=number_in(status, "observedGeneration") or 0,
        resource=str(accelerator.get("resourceName") or "nvidia.com/gpu"),
        held=number_in(status, "accelerators") if looked_at else None,
        tiers=Tiers(
            ready=number_in(status, "readyReplicas") if looked_at else None,
            wanted=number_in(status, "desiredReplicas") if looked_at else None,
            serving=number_in(status, "replicas") or 0,
            warm=number_in(status, "warmReplicas") or 0,
            asleep=number_in(status, "asleepReplicas") or 0,
            starting=number_in(status, "startingReplicas") or 0,
            draining=number_in(status, "drainingReplicas") or 0,
        ),
        aims=Aims(
            mode=str(scaling.get("mode") or "Auto"),
            floor=number_in(spec, "replicas"),
            maximum=number_in(scaling, "maxReplicas"),
            warm=number_in(scaling, "warmReplicas") or 0,
            suspended=spec.get("suspend") is True,
        ),
        waiting=number_in(status, "waitingRequests"),
        running=number_in(status, "runningRequests"),
        conditions={said.type: said for said in _conditions(status)},
        raw=item,
    )


def part(item: Json, name: str) -> Json:
    """An object below another one; empty where there is none."""
    found = item.get(name)
    return found if isinstance(found, dict) else {}


def number_in(item: Json, name: str) -> int | None:
    """A whole number; None where there is none."""
    value = item.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def objects_in(item: Json, name: str) -> tuple[Json, ...]:
    """The objects of a list."""
    found = item.get(name)
    return tuple(one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def _conditions(status: Json) -> tuple[Said, ...]:
    return tuple(
        Said(*(str(one.get(field) or "") for field in ("type", "status", "reason", "message")))
        for one in objects_in(status, "conditions")
    )
