"""Where a rollout stands and where it goes: what the planner counts, moves and says by."""

from collections.abc import Mapping
from dataclasses import dataclass

from stoker.api.v1alpha1.rollout import RolloutStrategy
from stoker.core.plan.replicas import RevisionReplicas, newest_first
from stoker.core.plan.rollout import failure, room
from stoker.core.plan.rollout.counts import Held, goals, not_begun
from stoker.core.plan.rollout.failure import Failure, failure_of
from stoker.core.plan.rollout.proof import proven, unproven_seconds
from stoker.core.plan.rollout.room import no_room
from stoker.core.plan.rollout.steps import Step, step_named, step_of
from stoker.core.plan.rollout.turn import NEXT_TURN_SECONDS, waits_for_turn
from stoker.core.plan.snapshot import Snapshot
from stoker.core.plan.target import Target, way_back
from stoker.core.plan.wanted import is_frozen

# The status keeps a failure before anything is done about it, so the next look comes at once.
AFTER_A_FAILURE_SECONDS = 0.1


@dataclass(frozen=True)
class Course:
    """One look's view of it."""

    counts: Mapping[str, int]  # that each revision should come to; empty: nobody knows what should run
    step: Step | None = None  # None: no rollout is under way
    failure: Failure | None = None  # of the revision that comes
    back_to: str | None = None  # the revision that takes over from one that failed; None: none does
    proven: int = 0  # replicas of the target that stand for an old one
    look_again_seconds: float | None = None
    before: Step | None = None  # as the status has it
    waits: bool = False  # whether it would be under way, if fewer other models rolled out
    begun: bool = True  # False: it waits, or was paused before its first step, and takes its turn when it goes on
    rolls: bool = False  # whether it is, so that others may have to wait for its end


def course_of(snapshot: Snapshot, target: Target, replicas: Mapping[str, RevisionReplicas], wanted: int) -> Course:
    if target.rendered is None:
        return Course({})
    name, rollout = target.rendered.name, snapshot.live.deployment.spec.rollout
    good = snapshot.live.deployment.status.good_revision
    numbers = {revision.name: revision.number for revision in snapshot.revisions}
    others = [held for revision, held in replicas.items() if revision != name and held.holds_something]
    old = [_held(held, held.ready, good) for held in newest_first(others, numbers)]
    own = replicas.get(name)
    settings = snapshot.cluster.configuration.rollouts
    ready = proven(own.replicas, settings.proving_seconds, snapshot.now) if own else 0
    before = _step_before(snapshot, name)
    unserved = not any(held.ready for held in old)
    # What goes back from a failed revision has most of its replicas still.
    strategy = RolloutStrategy.AUTO if target.given_up else rollout.strategy
    step = step_of(
        strategy,
        before,
        no_room=no_room(own, settings.surge_wait_seconds, snapshot.now),
        whole=ready >= wanted,
        unserved=unserved,
    )
    held = _held(own, ready, good) if own else Held(name, 0, 0)
    paused = rollout.paused or is_frozen(snapshot)
    begun = not old or before is not None or (own is not None and own.holds_something)
    waits = not begun and not paused and waits_for_turn(snapshot, target, unserved=unserved)
    counts = not_begun(held, old, wanted) if waits else goals(held, old, wanted, step, paused=paused)
    failed = failure_of(snapshot, own) if own and _is_judged(snapshot, target, rolling=bool(old)) else None
    back_to = way_back(snapshot, name) if failed else None
    under_way = step if old else None
    look_again_seconds = AFTER_A_FAILURE_SECONDS if back_to else _look_again_seconds(snapshot, target, own, under_way)
    if waits:
        look_again_seconds = NEXT_TURN_SECONDS
    rolls = under_way is not None and not waits and not rollout.paused
    begun = begun or not (waits or paused)
    return Course(counts, under_way, failed, back_to, ready, look_again_seconds, before, waits, begun, rolls)


def _held(held: RevisionReplicas, ready: int, good: str | None) -> Held:
    return Held(held.revision, held.count, ready, held.revision == good)


def _step_before(snapshot: Snapshot, revision: str) -> Step | None:
    known = {entry.name: entry.state for entry in snapshot.live.deployment.status.revisions}
    return step_named(known.get(revision))


def _is_judged(snapshot: Snapshot, target: Target, *, rolling: bool) -> bool:
    """Once a revision was good, what goes wrong with it is no failure of a rollout, and neither is going back."""
    deployment = snapshot.live.deployment
    good = deployment.status.good_revision
    held = deployment.spec.rollout.paused or is_frozen(snapshot)
    if target.given_up or target.refusal or held or target.rendered is None:
        return False
    return good != target.rendered.name and (rolling or good is not None)


def _look_again_seconds(
    snapshot: Snapshot, target: Target, own: RevisionReplicas | None, step: Step | None
) -> float | None:
    """When time alone changes something."""
    if own is None or target.rendered is None:
        return None
    settings, waits = snapshot.cluster.configuration.rollouts, list[float]()
    if step or snapshot.live.deployment.status.good_revision != target.rendered.name:
        ready = (replica for replica in own.replicas if replica.ready)
        waits += [unproven_seconds(replica, settings.proving_seconds, snapshot.now) for replica in ready]
        waits += failure.next_look_seconds(snapshot, own)
    if step is Step.SURGING:
        waits += room.next_look_seconds(own, settings.surge_wait_seconds, snapshot.now)
    return min((seconds for seconds in waits if seconds > 0), default=None)
