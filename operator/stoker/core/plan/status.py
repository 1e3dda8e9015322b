"""What a ModelDeployment says of itself. Unknown is said as Unknown; scaling flips neither Ready nor Reconciling."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from stoker.api.v1alpha1.condition import ConditionType
from stoker.api.v1alpha1.reason import Reason
from stoker.api.v1alpha1.scaling import ScalingMode
from stoker.api.v1alpha1.status import ModelFacts, Status, WeightsStatus
from stoker.core.counted import counted, share, verb
from stoker.core.engine import Refusal
from stoker.core.names import Tier, serving_selector
from stoker.core.plan.conditions import Statement, conditions_from
from stoker.core.plan.diagnosis import Finding
from stoker.core.plan.fetch.fitting import FitState
from stoker.core.plan.replicas import FINISHED_PHASES, Replica, RevisionReplicas, leaving
from stoker.core.plan.revision_rows import revision_rows
from stoker.core.plan.rollout.course import Course
from stoker.core.plan.rollout.handing_over import HandingOver
from stoker.core.plan.rollout.steps import Step
from stoker.core.plan.rollout.turn import waiting_sentence
from stoker.core.plan.second_scaler import second_scaler
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.target import Target
from stoker.core.plan.wanted import Wanted

_HOW = {
    Step.SURGING: "; each one is made beside the old ones",
    Step.EXCHANGING: "; each one takes the place of an old one",
    Step.HOLDING: "; they take no traffic until all of them are",
    Step.SWITCHED: "; traffic has moved to them",
    None: "",
}


@dataclass(frozen=True)
class Picture:
    """What the status is written from."""

    snapshot: Snapshot
    target: Target
    replicas: Mapping[str, RevisionReplicas]
    wanted: Wanted
    findings: tuple[Finding, ...]
    blocked: Finding | None  # why the spec cannot be brought about without a person
    course: Course
    handed: HandingOver | None = None  # replicas that wait for the places of others, which is part of a rollout

    @property
    def live(self) -> tuple[Replica, ...]:
        return tuple(replica for held in self.replicas.values() for replica in held.replicas)

    def of_tier(self, tier: Tier, *, ready: bool | None = None) -> int:
        return sum(replica.tier == tier and ready in (None, replica.ready) for replica in self.live)

    @property
    def ready(self) -> int:
        return self.of_tier(Tier.SERVING, ready=True)

    @property
    def target_name(self) -> str | None:
        return self.target.rendered.name if self.target.rendered else None

    @property
    def rolling(self) -> bool:
        """Whether replicas of another revision than the target's are still there."""
        return any(held.replicas and name != self.target_name for name, held in self.replicas.items())

    @property
    def left(self) -> int:
        """Replicas that a suspended model still has, those that are ordered or on their way out among them."""
        snapshot = self.snapshot
        pods = (pod for pod in snapshot.pods if (pod.tier or pod.group) and pod.phase not in FINISHED_PHASES)
        names = {pod.group or pod.identity.name for pod in pods} | {group.identity.name for group in snapshot.groups}
        return max(len(names), sum(replica_set.count for replica_set in snapshot.replica_sets))

    @property
    def settled(self) -> bool:
        """What the load asks for comes and goes; the spec is brought about when its floor serves."""
        if self.snapshot.live.deployment.spec.suspend:
            return not self.left
        if self.rolling or self.target.waits:
            return False
        if self.snapshot.scaled:
            return self.ready >= self.wanted.floor
        return self.ready == self.wanted.serving and len(self.live) == self.wanted.replicas


def status_of(picture: Picture) -> tuple[Status, tuple[Statement, ...]]:
    snapshot = picture.snapshot
    deployment = snapshot.live.deployment
    before = deployment.status
    statements = tuple(statements_of(picture))
    generation = deployment.metadata.generation
    known = {condition.type: condition for condition in before.conditions}
    status = before.model_copy(
        update={
            "observed_generation": generation,
            "conditions": conditions_from(statements, known, generation, snapshot.now),
            "replicas": picture.of_tier(Tier.SERVING),
            "ready_replicas": picture.ready,
            "warm_replicas": picture.of_tier(Tier.WARM),
            "asleep_replicas": picture.of_tier(Tier.ASLEEP),
            "starting_replicas": sum(not replica.ready for replica in picture.live),
            "draining_replicas": leaving(snapshot),
            "desired_replicas": picture.wanted.serving,
            "accelerators": sum(replica.size for replica in picture.live) * deployment.spec.accelerator.count,
            "selector": ",".join(f"{key}={value}" for key, value in serving_selector(snapshot.name).items()),
            "served_name": deployment.spec.model.served_name or snapshot.name,
            "url": f"http://{snapshot.name}.{snapshot.namespace}.svc/v1",
            "current_revision": _current_revision(picture),
            "update_revision": picture.target_name,
            "good_revision": _good_revision(picture),
            "revisions": revision_rows(snapshot, picture.target, picture.replicas, picture.course),
            "weights": _weights(picture),
            "model": _facts(picture),
        }
        | _load(snapshot)
    )
    return status, statements


def _load(snapshot: Snapshot) -> dict[str, object]:
    """What the last decision kept; nothing of it is forgotten while there is none. Requests that nobody counts any
    more are no requests of today."""
    scaled = snapshot.scaled
    if scaled is None:
        return {} if _follows_load(snapshot) else {"waiting_requests": None, "running_requests": None}
    return {
        "scaling": scaled.memory,
        "waiting_requests": scaled.waiting_requests,
        "running_requests": scaled.running_requests,
    }


def _follows_load(snapshot: Snapshot) -> bool:
    spec = snapshot.live.deployment.spec
    return snapshot.cluster.scales and not spec.suspend and spec.scaling.mode != ScalingMode.OFF


def _current_revision(picture: Picture) -> str | None:
    if not picture.rolling:
        return picture.target_name
    before = picture.snapshot.live.deployment.status.current_revision
    if before and before in picture.replicas and picture.replicas[before].replicas:
        return before
    return next(name for name, held in picture.replicas.items() if held.replicas and name != picture.target_name)


def _good_revision(picture: Picture) -> str | None:
    """One whose rollout is over and whose replicas stayed ready for a while."""
    over = not picture.rolling and picture.course.step is None
    if over and picture.course.proven >= max(1, picture.wanted.floor):
        return picture.target_name
    return picture.snapshot.live.deployment.status.good_revision


def _weights(picture: Picture) -> WeightsStatus | None:
    stage = picture.target.stage
    if stage is None:
        return picture.snapshot.live.deployment.status.weights
    found, weights = stage.found, picture.target.weights
    if found is None:
        return WeightsStatus(claim_name=weights.claim) if weights else None
    progress = picture.snapshot.progress if stage.fetching else None
    arrived = found.total_bytes if weights else 0
    return WeightsStatus(
        revision=found.revision[:256],
        claim_name=weights.claim if weights else None,
        fetched_bytes=progress.fetched_bytes if progress else arrived,
        total_bytes=found.total_bytes,
        message=progress.message[:256] if progress else None,
    )


def _facts(picture: Picture) -> ModelFacts | None:
    stage = picture.target.stage
    if stage is None:
        return picture.snapshot.live.deployment.status.model
    return stage.fit.facts if stage.fit else None


def statements_of(picture: Picture) -> Iterator[Statement]:
    yield _ready(picture)
    yield _weights_ready(picture)
    yield _fits(picture)
    yield _scheduled(picture)
    yield _progressing(picture)
    yield _scaling_active(picture)
    yield _scaling_limited(picture)
    yield _update_available(picture)
    yield _degraded(picture)
    yield _reconciling(picture)
    yield _stalled(picture)


def _ready(picture: Picture) -> Statement:
    spec = picture.snapshot.live.deployment.spec
    target = spec.scaling.target_ref
    if spec.suspend:
        return _suspended(picture)
    if picture.ready:
        return Statement(
            ConditionType.READY,
            "True",
            Reason.SERVING,
            _take_traffic(picture),
        )
    if picture.blocked:
        return Statement(ConditionType.READY, "False", picture.blocked.reason, picture.blocked.message)
    if picture.wanted.serving == 0:
        what = f"Nothing but {target.kind} {target.name} is observed" if target else "No replica is wanted"
        return Statement(ConditionType.READY, "True", Reason.AT_ZERO, f"{what}, so none runs.")
    if why := next(iter(picture.findings), None) or picture.target.waits:
        return Statement(ConditionType.READY, "False", why.reason, why.message)
    return Statement(
        ConditionType.READY,
        "False",
        Reason.STARTING,
        f"{share(len(picture.live), picture.wanted.replicas, 'replica', 'is', 'are')} starting.",
    )


def _take_traffic(picture: Picture) -> str:
    return f"{share(picture.ready, picture.wanted.serving, 'replica', 'takes', 'take')} traffic."


def _suspended(picture: Picture) -> Statement:
    """Ready once nothing runs any more, as at zero: what waits for a suspended model must come to an end."""
    if not picture.left:
        return Statement(ConditionType.READY, "True", Reason.SUSPENDED, "spec.suspend is true, so no replica runs.")
    leave = f"{counted(picture.left, 'replica', 'has', 'have')} still to leave"
    return Statement(ConditionType.READY, "False", Reason.SUSPENDED, f"spec.suspend is true, and {leave}.")


def _weights_ready(picture: Picture) -> Statement:
    stage = picture.target.stage
    if stage is None:
        observes = picture.snapshot.live.deployment.spec.scaling.target_ref
        why = "No weights are fetched for what is only observed." if observes else "The spec has to be mended first."
        return Statement(ConditionType.WEIGHTS_READY, "Unknown", Reason.NOT_CHECKED, why)
    weights = stage.weights
    if isinstance(weights, Refusal):
        return Statement(ConditionType.WEIGHTS_READY, "False", weights.reason, weights.message)
    if weights.waits:
        return Statement(ConditionType.WEIGHTS_READY, "False", weights.waits.reason, weights.waits.message)
    folder = f" in the folder {weights.folder}" if weights.folder else ""
    return Statement(
        ConditionType.WEIGHTS_READY,
        "True",
        Reason.WEIGHTS_FOUND,
        f"The weights are on the claim {weights.claim}{folder}.",
    )


def _fits(picture: Picture) -> Statement:
    fit = picture.target.stage.fit if picture.target.stage else None
    if fit is None:
        return Statement(ConditionType.FITS_GPU, "Unknown", Reason.NOT_CHECKED, "The weights were not inspected.")
    reason = {FitState.YES: Reason.FITS, FitState.NO: Reason.DOES_NOT_FIT, FitState.UNKNOWN: Reason.NOT_CHECKED}
    return Statement(ConditionType.FITS_GPU, fit.state.value, reason[fit.state], fit.message)


def _scheduled(picture: Picture) -> Statement:
    placing = (Reason.UNSCHEDULABLE, Reason.VOLUME_ZONE_HAS_NO_GPU, Reason.CLAIM_MISSING, Reason.QUOTA_EXCEEDED)
    for finding in picture.findings:
        if finding.reason in placing:
            return Statement(ConditionType.SCHEDULED, "False", finding.reason, finding.message)
    if handed := picture.handed:
        wait = verb(handed.replicas, "waits for the place of an old one", "wait for the places of old ones")
        said = f"{counted(handed.replicas, 'replica')} {wait}: {handed.said}"
        return Statement(ConditionType.SCHEDULED, "Unknown", Reason.STARTING, said)
    waiting = sum(not replica.placed for replica in picture.live)
    if waiting or len(picture.live) < picture.wanted.replicas:
        return Statement(ConditionType.SCHEDULED, "Unknown", Reason.STARTING, "Replicas wait for the scheduler.")
    return Statement(
        ConditionType.SCHEDULED,
        "True",
        Reason.ALL_SCHEDULED,
        "Every replica has a node for each of its pods."
        if any(replica.group for replica in picture.live)
        else "Every replica has a node.",
    )


def _progressing(picture: Picture) -> Statement:
    """As on a Deployment: True while a rollout is under way. One that waits for its turn is not over either."""
    if not picture.rolling:
        if picture.target.given_up and picture.blocked:
            return Statement(ConditionType.PROGRESSING, "False", picture.blocked.reason, picture.blocked.message)
        return Statement(ConditionType.PROGRESSING, "False", Reason.SETTLED, "No rollout is under way.")
    target = picture.replicas.get(picture.target_name or "")
    ready = target.ready if target else 0
    made = f"{share(ready, picture.wanted.replicas, 'replica')} of revision {picture.target_name}"
    sentence = f"{made} {verb(ready, 'is', 'are')} ready"
    if picture.snapshot.live.deployment.spec.rollout.paused:
        return Statement(
            ConditionType.PROGRESSING,
            "False",
            Reason.ROLLOUT_PAUSED,
            f"{sentence}, and spec.rollout.paused holds it there.",
        )
    if picture.course.waits:
        said = f"Revision {picture.target_name} waits for its turn. {waiting_sentence(picture.snapshot)}"
        return Statement(ConditionType.PROGRESSING, "True", Reason.ROLLOUT_WAITING, said)
    return Statement(ConditionType.PROGRESSING, "True", Reason.ROLLING_OUT, f"{sentence}{_HOW[picture.course.step]}.")


def _said_before(picture: Picture, kind: ConditionType) -> Statement | None:
    """An operator that has just begun knows nothing better yet."""
    if not (picture.snapshot.cluster.scales and picture.snapshot.scaled is None):
        return None
    known = {condition.type: condition for condition in picture.snapshot.live.deployment.status.conditions}
    before = known.get(kind)
    if before is None or before.reason == Reason.WAITING_FOR_OPERATOR or before.reason not in set(Reason):
        return None
    return Statement(kind, before.status, Reason(before.reason), before.message)


def _scaling_active(picture: Picture) -> Statement:
    spec = picture.snapshot.live.deployment.spec
    if spec.suspend:
        return Statement(
            ConditionType.SCALING_ACTIVE, "False", Reason.SUSPENDED, "spec.suspend is true: no load is followed."
        )
    if spec.scaling.mode == ScalingMode.OFF:
        return Statement(
            ConditionType.SCALING_ACTIVE, "False", Reason.FOLLOWS_SPEC, "spec.replicas is the exact number."
        )
    if scaled := picture.snapshot.scaled:
        if scaled.active is None:
            return Statement(ConditionType.SCALING_ACTIVE, "Unknown", scaled.reason, scaled.message)
        return Statement(
            ConditionType.SCALING_ACTIVE, "True" if scaled.active else "False", scaled.reason, scaled.message
        )
    return _said_before(picture, ConditionType.SCALING_ACTIVE) or Statement(
        ConditionType.SCALING_ACTIVE, "False", Reason.HOLDING_FLOOR, "No load is known: spec.replicas serve."
    )


def _scaling_limited(picture: Picture) -> Statement:
    # Whoever moves the floor may well be why the other limits are met.
    if limit := second_scaler(picture.snapshot.live.deployment) or picture.wanted.limit:
        return Statement(ConditionType.SCALING_LIMITED, "True", limit.reason, limit.message)
    return Statement(ConditionType.SCALING_LIMITED, "False", Reason.WITHIN_LIMITS, "No limit holds replicas back.")


def _update_available(picture: Picture) -> Statement:
    newer = picture.target.newer_defaults
    if newer is None:
        return Statement(
            ConditionType.UPDATE_AVAILABLE, "Unknown", Reason.NOT_CHECKED, "The spec cannot be rendered to compare."
        )
    if newer:
        return Statement(
            ConditionType.UPDATE_AVAILABLE,
            "True",
            Reason.NEWER_DEFAULTS,
            "The operator would render the pods otherwise today. To roll that out, run `stoker upgrade"
            f" {picture.snapshot.name}`, or set the annotation stoker.dev/restarted-at to the time of day.",
        )
    return Statement(ConditionType.UPDATE_AVAILABLE, "False", Reason.UP_TO_DATE, "The pods have today's defaults.")


def _degraded(picture: Picture) -> Statement:
    problem = picture.blocked or next(iter(picture.findings), None)
    if problem:
        return Statement(ConditionType.DEGRADED, "True", problem.reason, problem.message)
    return Statement(ConditionType.DEGRADED, "False", Reason.NO_PROBLEM, "Nothing is known to be wrong.")


def _reconciling(picture: Picture) -> Statement:
    if picture.blocked or picture.settled:
        return Statement(ConditionType.RECONCILING, "False", Reason.SETTLED, "Nothing is under way.")
    if picture.snapshot.live.deployment.spec.suspend:
        return replace(_suspended(picture), type=ConditionType.RECONCILING, status="True")
    if picture.rolling:
        if picture.course.waits:
            reason, said = Reason.ROLLOUT_WAITING, waiting_sentence(picture.snapshot)
        else:
            reason, said = Reason.ROLLING_OUT, "A rollout is under way."
        return Statement(ConditionType.RECONCILING, "True", reason, said)
    if waits := picture.target.waits:
        return Statement(ConditionType.RECONCILING, "True", waits.reason, waits.message)
    if picture.ready < picture.wanted.serving:
        return Statement(ConditionType.RECONCILING, "True", Reason.STARTING, _take_traffic(picture))
    there, wanted = len(picture.live), picture.wanted.replicas
    message = f"{counted(there, 'replica', 'is', 'are')} there, and {wanted} {verb(wanted, 'is', 'are')} wanted."
    return Statement(ConditionType.RECONCILING, "True", Reason.SCALING, message)


def _stalled(picture: Picture) -> Statement:
    """What only a person can mend."""
    if picture.blocked:
        return Statement(ConditionType.STALLED, "True", picture.blocked.reason, picture.blocked.message)
    return Statement(ConditionType.STALLED, "False", Reason.NO_PROBLEM, "Stoker can go on by itself.")
