"""From a demand and what was granted of it to what the plan is told and the status keeps."""

from dataclasses import dataclass
from datetime import datetime

from stoker.api.v1alpha1.reason import Reason
from stoker.api.v1alpha1.scaling import ScalingMode
from stoker.api.v1alpha1.status import ScalingStatus
from stoker.core.counted import counted, verb
from stoker.core.engine import Refusal
from stoker.core.follow.subject import Subject
from stoker.core.plan.snapshot import Scaled
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.demands import Reason as Why
from stoker.core.scaling.fleet import Grant
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Prior
from stoker.core.scaling.restart import kept
from stoker.core.timestamp import timestamp

_LONGEST_SENTENCE = 1024
_ROLLING = (
    "A rollout is under way: no replica is given up until it ends, and none is added where new ones take the place of"
    " old ones."
)


@dataclass(frozen=True)
class Sight:
    """Why not all of the load is seen, as far as anybody knows."""

    source: str = ""  # what is wrong with the Prometheus; empty: nothing, or none is asked
    replica: str = ""  # of the first replica that does not tell its load
    target: str = ""  # why another tool's workload cannot be followed

    @property
    def sentence(self) -> str:
        return self.source or self.replica


@dataclass(frozen=True)
class Decision:
    """What one tick decided for one model."""

    subject: Subject
    demand: Demand
    grant: Grant
    memory: Memory
    wall: datetime  # when it was decided, which may be some ticks ago
    sight: Sight = Sight()


def verdict(decision: Decision, before: ScalingStatus | None) -> Scaled:
    subject, demand, grant = decision.subject, decision.demand, decision.grant
    explanation = demand.explanation
    sentence = explanation.sentence()[:_LONGEST_SENTENCE]
    serving, warm = _allowed(subject, demand, grant)
    active, reason = _active(subject, demand, decision.sight)
    return Scaled(
        serving=serving,
        warm=warm,
        active=active,
        reason=reason,
        message=" ".join(filter(None, (_message(decision, sentence, serving, reason), subject.slip))),
        limit=_limit(subject, demand, grant),
        memory=_memory(decision, before or ScalingStatus(), sentence),
        waiting_requests=explanation.waiting if explanation.known else None,
        running_requests=explanation.in_flight - explanation.waiting if explanation.known else None,
        resting=demand.resting,
    )


def _message(decision: Decision, sentence: str, serving: int, reason: Reason) -> str:
    subject, sight = decision.subject, decision.sight
    if reason is Reason.TARGET_UNKNOWN:
        return sight.target
    if reason is Reason.NO_READY_REPLICA:
        return f"There is no load to follow, since no replica is ready: {serving} {verb(serving, 'is', 'are')} wanted."
    said = f"Observing: {sentence}" if subject.mode == ScalingMode.OBSERVE else sentence
    return f"{said}. {sight.sentence}" if sight.sentence else said


def _allowed(subject: Subject, demand: Demand, grant: Grant) -> tuple[int, int]:
    """The floor is the user's own order: where there is no room for it, its pods wait and say so."""
    serving = max(grant.serving, min(demand.floor, subject.maximum))
    return serving, min(grant.warm, max(0, subject.maximum - serving))


def _active(subject: Subject, demand: Demand, sight: Sight) -> tuple[bool | None, Reason]:
    explanation = demand.explanation
    if sight.target:
        return False, Reason.TARGET_UNKNOWN
    if not explanation.ready:
        return None, Reason.NO_READY_REPLICA
    if explanation.saturated:
        return True, Reason.LOAD_SATURATED
    if explanation.unknown:
        return False, Reason.LOAD_SOURCE_DOWN if sight.source else Reason.LOAD_UNKNOWN
    return True, Reason.OBSERVING_LOAD if subject.mode == ScalingMode.OBSERVE else Reason.FOLLOWING_LOAD


def _limit(subject: Subject, demand: Demand, grant: Grant) -> Refusal | None:
    if grant.serving < demand.serving:
        return Refusal(Reason.NO_CAPACITY_LEFT, f"{grant.reason[:1].upper()}{grant.reason[1:]}.")
    if Why.MAXIMUM in demand.reasons:
        return Refusal(
            Reason.AT_MAXIMUM,
            f"More replicas are needed than spec.scaling.maxReplicas allows ({subject.maximum}):"
            " raise it, or accept longer waits.",
        )
    if Why.PENDING in demand.reasons:
        pending = demand.explanation.pending
        return Refusal(
            Reason.REPLICAS_PENDING,
            f"{counted(pending, 'replica', 'waits', 'wait')} for a node, and no more than"
            f" {subject.max_pending} may (scaling.maxPendingReplicas in the operator's configuration).",
        )
    if Why.FROZEN in demand.reasons:
        return Refusal(Reason.SCALING_FROZEN, _ROLLING)
    return None


def _memory(decision: Decision, before: ScalingStatus, sentence: str) -> ScalingStatus:
    found = kept(decision.memory, Prior())
    moved: dict[str, str] = {}
    change = decision.demand.serving - decision.demand.explanation.before
    if change:
        now = timestamp(decision.wall)
        moved = {
            "decision": "ScaleUp" if change > 0 else "ScaleDown",
            "decision_time": now,
            "explanation": sentence,
            "last_up_time" if change > 0 else "last_down_time": now,
        }
    return before.model_copy(update={"capacities": found.capacities, "stages": found.stages} | moved)
