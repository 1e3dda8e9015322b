"""What of a ModelDeployment matters for scaling. It changes with the object, not with the load."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.v1alpha1.scaling import LoadSource, ObservedWorkload, ScalingMode, ScheduledFloor
from stoker.core.engine import pods_per_replica
from stoker.core.follow.prior import Shape, prior_of, shape_of
from stoker.core.names import WOKEN_AT
from stoker.core.scaling.observation import Aims, Limits, Prior, Rolling
from stoker.core.scaling.schedule import scheduled_floor
from stoker.core.scaling.tuning import DEFAULT, Tuning


@dataclass(frozen=True)
class Subject:
    """One model that is scaled, or whose scaling is thought through."""

    mode: ScalingMode
    source: LoadSource
    engine: str
    floor: int
    maximum: int
    warm: int
    max_pending: int
    schedule: tuple[ScheduledFloor, ...]
    awake_until: datetime | None  # somebody asked for it to be there; None: nobody did
    aims: Aims
    tuning: Tuning
    shape: Shape | None  # None: nothing is known of the model that would tell how fast it is
    most_at_once: int | None  # requests that the engine takes into a batch; None: unknown
    priority: int
    devices_each: int  # of one replica; 0: it runs on the CPU
    resource_name: str
    products: tuple[str, ...]  # empty: any
    target: ObservedWorkload | None = None  # another tool's, whose replicas are looked at instead
    slip: str = ""  # what its author wrote that cannot be understood, in a sentence

    def prior(self, products_in_sight: Iterable[str]) -> Prior:
        """Before anything is measured. Where nodes are not there yet, those that the spec names count."""
        seen = [product for product in products_in_sight if not self.products or product in self.products]
        return prior_of(self.shape, self.most_at_once, seen or self.products, self.aims)

    def limits(
        self, wall: datetime, lead_seconds: float, *, frozen: bool = False, rolling: Rolling = Rolling.NO
    ) -> Limits:
        """The floor of the spec, of its schedule or of who woke it, whichever is highest."""
        woken = int(self.awake_until is not None and wall < self.awake_until)
        floor = max(self.floor, woken, scheduled_floor(self.schedule, wall, lead_seconds))
        return Limits(
            floor=min(floor, self.maximum),
            maximum=self.maximum,
            warm=self.warm,
            max_pending=self.max_pending,
            frozen=frozen,
            rolling=rolling,
        )


def subject_of(deployment: ModelDeployment, configuration: Configuration) -> Subject | None:
    """None where there is nothing to decide: the number is the spec's, or no replica runs."""
    spec = deployment.spec
    scaling, objective = spec.scaling, spec.scaling.objective
    if spec.suspend or scaling.mode == ScalingMode.OFF:
        return None
    woken_at, slip = _woken_at(deployment)
    percent = scaling.utilization_percent or configuration.scaling.utilization_percent
    return Subject(
        mode=scaling.mode,
        source=scaling.source,
        engine=spec.engine.name.value,
        floor=spec.replicas,
        maximum=min(scaling.max_replicas, configuration.limits.max_replicas),
        warm=0 if scaling.target_ref else scaling.warm_replicas,
        max_pending=configuration.scaling.max_pending_replicas,
        schedule=scaling.schedule,
        awake_until=_later(woken_at, scaling.idle_seconds),
        aims=Aims(
            ttft_seconds=objective.ttft_milliseconds / 1000,
            itl_seconds=objective.itl_milliseconds / 1000,
            percentile=objective.percentile,
            queue_wait_seconds=scaling.queue_wait_milliseconds / 1000,
            kv_share=scaling.kv_cache_percent / 100,
            down_delay_seconds=float(scaling.scale_down_delay_seconds),
            idle_seconds=float(scaling.idle_seconds),
        ),
        tuning=replace(DEFAULT, headroom=percent / 100) if percent != 100 else DEFAULT,
        shape=shape_of(deployment),
        most_at_once=spec.engine.max_concurrency,
        priority=spec.priority,
        devices_each=spec.accelerator.count * pods_per_replica(spec),
        resource_name=spec.accelerator.resource_name,
        products=tuple(spec.accelerator.products),
        target=scaling.target_ref,
        slip=slip,
    )


def _later(moment: datetime | None, seconds: int) -> datetime | None:
    try:
        return moment + timedelta(seconds=seconds) if moment else None
    except OverflowError:
        return moment


def _woken_at(deployment: ModelDeployment) -> tuple[datetime | None, str]:
    """And what is wrong with the annotation, where something is."""
    text = deployment.metadata.annotations.get(WOKEN_AT, "")
    if not text:
        return None, ""
    moment = _moment(text)
    if moment is None:
        shown = text[:64]
        return None, f"The annotation {WOKEN_AT} is {shown!r}: write a moment such as 2026-11-21T08:00:00Z."
    return moment, ""


def _moment(text: str) -> datetime | None:
    """None where it is none, or one without a time zone."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
