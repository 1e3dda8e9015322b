"""How many replicas there should be, and what holds their number back."""

from dataclasses import dataclass

from stoker.api.v1alpha1.reason import Reason
from stoker.api.v1alpha1.scaling import ScalingMode
from stoker.core.counted import counted
from stoker.core.engine import Refusal
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.target import Target
from stoker.core.pool.beds import ENGINE_BYTES, has_bed
from stoker.core.pool.seat import Want


@dataclass(frozen=True)
class Wanted:
    """The number, tier by tier."""

    want: Want
    floor: int  # of those that serve, whatever the load
    limit: Refusal | None = None

    @property
    def serving(self) -> int:
        return self.want.serving

    @property
    def replicas(self) -> int:
        return self.want.replicas


def is_frozen(snapshot: Snapshot) -> bool:
    """What is suspended stays suspended, and what never ran may begin."""
    deployment = snapshot.live.deployment
    return bool(snapshot.cluster.frozen and deployment.status.observed_generation and not deployment.spec.suspend)


def wanted_of(snapshot: Snapshot, target: Target, serving_now: int) -> Wanted:
    spec, limits = snapshot.live.deployment.spec, snapshot.cluster.configuration.limits
    if spec.suspend or spec.scaling.target_ref:
        return Wanted(Want(0), 0)
    serving, warm, limit = _asked_for(snapshot, serving_now)
    if serving > limits.max_replicas:
        needed = f"{counted(serving, 'replica', 'is', 'are')} needed"
        asked = f"spec.replicas is {serving}" if serving == spec.replicas else needed
        limit = Refusal(
            Reason.LIMITED_BY_CONFIGURATION,
            f"{asked}, and the operator's configuration allows {limits.max_replicas} (limits.maxReplicas).",
        )
    serving = min(serving, limits.max_replicas)
    most = min(spec.scaling.max_replicas, limits.max_replicas)
    warm = max(0, min(warm, most - serving))
    sleepless = _sleepless(snapshot, target)
    asleep = 0 if sleepless or snapshot.cluster.control_key is None else spec.scaling.asleep_replicas
    want = Want(serving, warm, max(0, min(asleep, most - serving - warm)))
    return Wanted(want, min(spec.replicas, serving), limit or sleepless or _on_one_node(target, want))


def _asked_for(snapshot: Snapshot, serving_now: int) -> tuple[int, int, Refusal | None]:
    """By the spec, or by the load where Stoker scales. Before the load was ever seen, nothing is taken away."""
    spec, scaled = snapshot.live.deployment.spec, snapshot.scaled
    warm = spec.scaling.warm_replicas
    if is_frozen(snapshot):
        said = f"The fleet is frozen ({snapshot.cluster.frozen}): `stoker thaw` ends it. What dies is replaced."
        return snapshot.live.deployment.status.desired_replicas, warm, Refusal(Reason.SCALING_FROZEN, said)
    if spec.scaling.mode != ScalingMode.AUTO or not snapshot.cluster.scales:
        return spec.replicas, warm, None
    if scaled is None:
        status = snapshot.live.deployment.status
        held = status.desired_replicas if status.observed_generation else serving_now
        return max(spec.replicas, min(held, spec.scaling.max_replicas)), warm, None
    return scaled.serving, scaled.warm, scaled.limit


def _sleepless(snapshot: Snapshot, target: Target) -> Refusal | None:
    spec = snapshot.live.deployment.spec
    scaling, found = spec.scaling, target.rendered.found if target.rendered else None
    limit = spec.resources.limits.get("memory")
    limit_bytes = int(limit.amount) if limit else None
    weights_bytes = found.total_bytes if found else None
    if not scaling.asleep_replicas or has_bed(scaling.sleep_level, weights_bytes, limit_bytes):
        return None
    size = "of unknown size" if weights_bytes is None else f"of {weights_bytes / 2**30:.1f} GiB"
    return Refusal(
        Reason.NO_ROOM_TO_SLEEP,
        f"Weights {size} do not surely fit the memory limit {limit} with {ENGINE_BYTES // 2**30} GiB for the engine, so"
        " no replica is put to sleep: raise spec.resources.limits.memory, or set spec.scaling.asleepReplicas to 0.",
    )


def _on_one_node(target: Target, want: Want) -> Refusal | None:
    pods = want.replicas * (target.rendered.pods if target.rendered else 1)
    if pods <= 1 or not (target.weights and target.weights.one_node):
        return None
    what = f"{pods} replicas" if pods == want.replicas else f"{pods} pods of {counted(want.replicas, 'replica')}"
    return Refusal(
        Reason.VOLUME_ON_ONE_NODE,
        f"The claim {target.weights.claim} can be mounted on one node at a time, so all {what}"
        " have to find room on that node: use a claim with ReadWriteMany or ReadOnlyMany.",
    )
