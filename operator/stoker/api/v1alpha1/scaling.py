"""spec.scaling: how many replicas, kept how warm, and against which objective."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from stoker.api.declaration import ApiModel, Rule, Unit, map_by, matching
from stoker.api.v1alpha1.names import ObjectName
from stoker.api.values.cron import CronSchedule

Replicas = Annotated[int, Unit("replicas")]
MOST_REPLICAS = 10_000

TimeZone = Annotated[
    str,
    Field(min_length=1, max_length=64),
    matching(
        "[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*",
        "{self} is not a time zone: write an IANA name, such as Europe/Berlin or Etc/UTC",
    ),
]


class ScalingMode(StrEnum):
    """Who moves the number of replicas."""

    AUTO = "Auto"
    OBSERVE = "Observe"
    OFF = "Off"


class LoadSource(StrEnum):
    """Where the load of the replicas is read."""

    AGENT = "Agent"
    PROMETHEUS = "Prometheus"


class Objective(ApiModel):
    """The latency that users should see; capacity is learned against it."""

    ttft_milliseconds: int = Field(2000, ge=10, le=600_000, examples=[2000])
    """Time from the request's arrival to its first token."""

    itl_milliseconds: int = Field(100, ge=1, le=60_000, examples=[100])
    """Time between two tokens of an answer."""

    percentile: Annotated[int, Unit("percent of requests")] = Field(95, ge=50, le=99, examples=[95])
    """Share of the requests that must be inside both times."""


class ScheduledFloor(ApiModel):
    """A floor for a known peak, from one moment until the next entry of the schedule takes over."""

    cron: CronSchedule = Field(examples=["0 8 * * MON-FRI"])
    """When the floor begins: minute, hour, day of month, month, day of week."""

    time_zone: TimeZone = Field("Etc/UTC", examples=["Europe/Berlin"])
    """Time zone of `cron`, by its IANA name."""

    replicas: Replicas = Field(ge=0, le=MOST_REPLICAS, examples=[6])
    """At least this many replicas serve from then on; `spec.replicas` still holds where it is higher."""


class ObservedWorkload(ApiModel):
    """A workload that another tool runs and scales."""

    kind: Literal["Deployment", "StatefulSet", "ReplicaSet"] = Field("Deployment", examples=["Deployment"])
    """Kind of the workload, of group apps."""

    name: ObjectName = Field(examples=["llama-8b-predictor"])
    """Name of the workload, in the same namespace."""


class Scaling(ApiModel):
    """How the number of replicas follows the load."""

    rules = (
        Rule(
            cel="self.warmReplicas + self.asleepReplicas <= self.maxReplicas",
            holds=lambda scaling: scaling.warm_replicas + scaling.asleep_replicas <= scaling.max_replicas,
            says="warmReplicas {self.warmReplicas} and asleepReplicas {self.asleepReplicas} together are above"
            " maxReplicas {self.maxReplicas}, and each of them holds an accelerator: lower them or raise maxReplicas",
            at=".warmReplicas",
        ),
        Rule(
            cel="!has(self.targetRef) || self.mode == 'Observe'",
            holds=lambda scaling: scaling.target_ref is None or scaling.mode == ScalingMode.OBSERVE,
            says="targetRef names a workload that Stoker only watches: set mode to Observe, or remove targetRef",
            at=".targetRef",
        ),
        Rule(
            cel="!has(self.schedule) || self.schedule.all(entry, entry.replicas <= self.maxReplicas)",
            holds=lambda scaling: all(entry.replicas <= scaling.max_replicas for entry in scaling.schedule),
            says="an entry of schedule asks for more replicas than maxReplicas {self.maxReplicas}:"
            " lower it or raise maxReplicas",
            at=".schedule",
        ),
    )

    mode: ScalingMode = Field(ScalingMode.AUTO, examples=["Auto"])
    """Auto: Stoker scales. Observe: it records what it would do and writes nothing. Off: `spec.replicas` is the exact
    number, for a person, an HPA or KEDA; write it in quotes, since YAML reads a bare Off as false."""

    max_replicas: Replicas = Field(ge=1, le=MOST_REPLICAS, examples=[8])
    """Most replicas that may hold accelerators at once: serving, warm and asleep together. Serving ones go first."""

    warm_replicas: Replicas = Field(0, ge=0, le=1000, examples=[1])
    """Replicas kept loaded and off traffic beyond what the traffic needs, so that a peak meets one in a moment."""

    asleep_replicas: Replicas = Field(0, ge=0, le=1000, examples=[0])
    """Alpha. Replicas kept with their weights out of GPU memory. Kubernetes still counts their GPUs as taken."""

    sleep_level: Annotated[int, Unit("level")] = Field(1, ge=1, le=2, examples=[1])
    """Alpha. 1 keeps the weights of an asleep replica in the host's memory, 2 drops them and loads them to wake."""

    objective: Objective = Field(Objective(), examples=[{"ttftMilliseconds": 500, "itlMilliseconds": 50}])
    """The latency that users should see."""

    queue_wait_milliseconds: int = Field(1000, ge=1, le=600_000, examples=[1000])
    """Wait in the engines' queues above which replicas are added, whatever else says that there are enough."""

    kv_cache_percent: int = Field(85, ge=10, le=100, examples=[85])
    """Fill of the KV cache above which replicas are added."""

    scale_down_delay_seconds: int = Field(120, ge=0, le=86_400, examples=[120])
    """Shortest time between a replica's last being needed and its removal. It grows by itself where starting one takes
    longer."""

    utilization_percent: int | None = Field(None, ge=5, le=200, examples=[70])
    """Share of what a replica is known to carry that lasting load may use. Lower buys latency with replicas, higher
    saves replicas. Absent: scaling.utilizationPercent of the operator's configuration."""

    idle_seconds: int = Field(600, ge=10, le=604_800, examples=[600])
    """With `spec.replicas: 0`, time without a request after which the last replica goes."""

    schedule: Annotated[tuple[ScheduledFloor, ...], map_by("cron", "timeZone")] = Field(
        (),
        max_length=32,
        examples=[[{"cron": "0 8 * * MON-FRI", "timeZone": "Europe/Berlin", "replicas": 6}]],
    )
    """Floors for known peaks. The entry whose moment came last holds."""

    source: LoadSource = Field(LoadSource.AGENT, examples=["Agent"])
    """Where the load is read: from the agent in every replica, or from Prometheus."""

    target_ref: ObservedWorkload | None = Field(None, examples=[{"kind": "Deployment", "name": "llama-8b-predictor"}])
    """With mode Observe: a workload of another tool, for which Stoker records what it would do. It then makes no
    replicas itself."""
