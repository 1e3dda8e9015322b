"""What of a ModelDeployment matters for scaling. It changes with the object, not with the load."""

from dataclasses import dataclass
from datetime import datetime

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.v1alpha1.scaling import LoadSource, ScalingMode, ScheduledFloor
from stoker.core.engine import pods_per_replica
from stoker.core.scaling.observation import Aims, Limits, Prior
from stoker.core.scaling.schedule import scheduled_floor


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
    aims: Aims
    prior: Prior
    priority: int
    devices_each: int  # of one replica; 0: it runs on the CPU
    resource_name: str
    products: tuple[str, ...]  # empty: any

    def limits(self, wall: datetime, lead_seconds: float, *, frozen: bool) -> Limits:
        """The floor of the spec or of its schedule, whichever is higher."""
        floor = max(self.floor, scheduled_floor(self.schedule, wall, lead_seconds))
        return Limits(
            floor=min(floor, self.maximum),
            maximum=self.maximum,
            warm=self.warm,
            max_pending=self.max_pending,
            frozen=frozen,
        )


def subject_of(deployment: ModelDeployment, configuration: Configuration) -> Subject | None:
    """None where there is nothing to decide: the number is the spec's, or no replica runs."""
    spec = deployment.spec
    scaling, objective = spec.scaling, spec.scaling.objective
    if spec.suspend or scaling.mode == ScalingMode.OFF or scaling.target_ref:
        return None
    return Subject(
        mode=scaling.mode,
        source=scaling.source,
        engine=spec.engine.name.value,
        floor=spec.replicas,
        maximum=min(scaling.max_replicas, configuration.limits.max_replicas),
        warm=scaling.warm_replicas,
        max_pending=configuration.scaling.max_pending_replicas,
        schedule=scaling.schedule,
        aims=Aims(
            ttft_seconds=objective.ttft_milliseconds / 1000,
            itl_seconds=objective.itl_milliseconds / 1000,
            percentile=objective.percentile,
            queue_wait_seconds=scaling.queue_wait_milliseconds / 1000,
            kv_share=scaling.kv_cache_percent / 100,
            down_delay_seconds=float(scaling.scale_down_delay_seconds),
            idle_seconds=float(scaling.idle_seconds),
        ),
        prior=Prior(max_concurrency=_most_at_once(deployment)),
        priority=spec.priority,
        devices_each=spec.accelerator.count * pods_per_replica(spec),
        resource_name=spec.accelerator.resource_name,
        products=tuple(spec.accelerator.products),
    )


def _most_at_once(deployment: ModelDeployment) -> int | None:
    """What the engine is told, or what the KV cache holds at full length; unknown else."""
    model = deployment.status.model
    return deployment.spec.engine.max_concurrency or (model.full_context_concurrency if model else None) or None
