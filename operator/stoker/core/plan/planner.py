"""Snapshot in, plan out.

The plan of a world that is as it should be has no actions, and its status is the one that is stored. A plan is right
for the snapshot alone; each action says what must still be true for it, and where it no longer is, the next look makes
a new plan. Nothing is remembered between two plans but what the API server stores.
"""

import json
from collections.abc import Iterator, Mapping

from stoker.api.v1alpha1.reason import Reason
from stoker.core.counted import counted, verb
from stoker.core.names import ANOTHER_STOKER, Tier
from stoker.core.plan import groups, replica_sets
from stoker.core.plan.actions import (
    Action,
    Apply,
    CreateGroup,
    CreateRevision,
    DeleteOwned,
    DeleteRevision,
    Detach,
    DrainGroup,
    Note,
    Plan,
    Replace,
    Retier,
    Scale,
)
from stoker.core.plan.conditions import notes_on
from stoker.core.plan.device_faults import replaced
from stoker.core.plan.diagnosis import Finding, diagnosis
from stoker.core.plan.difference import difference
from stoker.core.plan.evacuation import extra_replicas, least_available, protections
from stoker.core.plan.fetch.asking import forgotten
from stoker.core.plan.observing import observing, only_observes, would_scale
from stoker.core.plan.owned_objects import owned_objects
from stoker.core.plan.replicas import RevisionReplicas, by_revision
from stoker.core.plan.revision import controller_revision
from stoker.core.plan.revision_rows import MOST_REVISIONS, never_forgotten
from stoker.core.plan.rollout.course import Course, course_of
from stoker.core.plan.rollout.handing_over import HandingOver, goes_anyway, handing_over
from stoker.core.plan.rollout.outcome import notes_on_step, outcome
from stoker.core.plan.rollout.traffic import cover_of, moves
from stoker.core.plan.snapshot import Owned, Snapshot
from stoker.core.plan.status import Picture, status_of
from stoker.core.plan.target import Target, target_of
from stoker.core.plan.upkeep import adoptions, mended_tiers
from stoker.core.plan.wanted import wanted_of
from stoker.core.pool.seat import Want


def plan(snapshot: Snapshot) -> Plan:
    if only_observes(snapshot):
        return observing(snapshot)
    target = target_of(snapshot)
    replicas = by_revision(snapshot)
    wanted = wanted_of(snapshot, target, _serving(replicas))
    extra = extra_replicas(snapshot, replicas, wanted.replicas)
    course = course_of(snapshot, target, replicas, wanted.replicas + extra)
    blocked = _blocked(snapshot, target) or outcome(snapshot, target, course)
    handed = handing_over(snapshot, replicas, course, target.rendered.name if target.rendered else None)
    findings = _findings(snapshot, target, replicas, course, handed)
    picture = Picture(snapshot, target, replicas, wanted, findings, blocked, course, handed)
    leaving, leaving_seconds = _departures(snapshot, replicas, course.counts)
    changes = list(_replica_actions(snapshot, target, replicas, course.counts, wanted.replicas))
    cover = cover_of(changes, replicas, wanted.want, picture.target_name or "", course.step)
    moving, moving_seconds = _tiers(snapshot, target, replicas, cover.want, course)
    actions: list[Action] = [
        *adoptions(snapshot),
        # Users wait for a promotion, and nobody waits for what follows it.
        *moving,
        *_fetching(snapshot, target),
        *_owned(snapshot, least_available(snapshot, replicas, wanted.serving), target),
        *cover.allowed(changes, tiers_move=bool(moving)),
        *leaving,
        *replaced(snapshot, replicas),
        *_forgotten(snapshot, target, replicas),
    ]
    touched = {action.pod.uid for action in actions if isinstance(action, Retier | Detach | Replace)}
    actions += protections(snapshot, replicas, touched)
    status, statements = status_of(picture)
    known = {condition.type: condition for condition in snapshot.live.deployment.status.conditions}
    told = (*notes_on_step(course, picture.target_name), *notes_on(statements, known), *would_scale(snapshot))
    notes = (*_notes_on(actions), *told)
    waits = [
        leaving_seconds,
        moving_seconds,
        course.look_again_seconds,
        handed.look_again_seconds if handed else None,
        target.stage.look_again_seconds if target.stage else None,
    ]
    look_again_seconds = min((wait for wait in waits if wait is not None), default=None)
    return Plan(tuple(actions), status, notes, look_again_seconds, course.rolls, course.waits)


def _serving(replicas: Mapping[str, RevisionReplicas]) -> int:
    return sum(replica.tier == Tier.SERVING for held in replicas.values() for replica in held.replicas)


def _tiers(
    snapshot: Snapshot, target: Target, replicas: Mapping[str, RevisionReplicas], want: Want, course: Course
) -> tuple[list[Action], float | None]:
    mended = list(mended_tiers(replicas))
    if target.rendered is None:
        return mended, None
    moved, look_again_seconds = moves(snapshot, replicas, want, target.rendered.name, course.step)
    return [*mended, *moved], look_again_seconds


def _fetching(snapshot: Snapshot, target: Target) -> Iterator[Action]:
    if target.stage is None:
        return
    yield from forgotten(snapshot, target.stage.jobs)
    yield from target.stage.actions


def _findings(
    snapshot: Snapshot,
    target: Target,
    replicas: Mapping[str, RevisionReplicas],
    course: Course,
    handed: HandingOver | None,
) -> tuple[Finding, ...]:
    """The target's first, then those of revisions that still serve; without waits for a node that end by themselves."""
    name = target.rendered.name if target.rendered else ""
    ordered = sorted(replicas.values(), key=lambda held: held.revision != name)
    expected = {held.revision for held in ordered if goes_anyway(held, course)} | ({name} if handed else set())
    return tuple(
        finding
        for held in ordered
        for finding in diagnosis(snapshot, held)
        if finding.reason is not Reason.UNSCHEDULABLE or held.revision not in expected
    )


def _blocked(snapshot: Snapshot, target: Target) -> Finding | None:
    """What a person has to mend before the spec can be brought about."""
    if target.refusal:
        return Finding(target.refusal.reason, target.refusal.message)
    for refused in snapshot.refused:
        return Finding(refused.reason, f"{refused.object}: {refused.message}")
    for contest in snapshot.contests:
        if contest.manager == ANOTHER_STOKER:
            return Finding(
                Reason.CONTESTED,
                f"{contest.kind} {contest.name} is changed again and again by {ANOTHER_STOKER}, which this one does not"
                " know of: uninstall one of them, or let them watch different namespaces (watch.namespaces).",
            )
        return Finding(
            Reason.CONTESTED,
            f"{contest.kind} {contest.name} was changed by {contest.manager}, put back, and changed again. Stoker"
            f" leaves it now: stop {contest.manager}, or let it scale the ModelDeployment instead.",
        )
    return None


def _owned(snapshot: Snapshot, available: int, target: Target) -> Iterator[Action]:
    deployment = snapshot.live.deployment
    contested = {(contest.kind, contest.name) for contest in snapshot.contests}
    if target.rendered is None or deployment.spec.scaling.target_ref:
        return
    # Pods that drain still work together when their LeaderWorkerSet is gone.
    spans_pods = target.rendered.pods > 1 or bool(snapshot.groups) or any(pod.group for pod in snapshot.pods)
    desired = dict(owned_objects(deployment, available, snapshot.cluster.configuration, spans_pods=spans_pods))
    for kind, body in desired.items():
        found = snapshot.owned.get(kind)
        if found is None:
            yield Apply(kind, None, body, {})
        elif (kind.value, snapshot.name) in contested:
            continue
        elif _is_ours(found, snapshot) and (differs := difference(kind, body, json.loads(found.body))):
            yield Apply(kind, found.identity, body, differs.surplus)
    for kind, found in snapshot.owned.items():
        if kind not in desired and found.owner_uid == snapshot.uid:
            yield DeleteOwned(kind, found.identity)


def _is_ours(found: Owned, snapshot: Snapshot) -> bool:
    """One without an owner has Stoker's labels, or it would not have been seen: its ModelDeployment was deleted
    alone."""
    return found.owner_uid in ("", snapshot.uid)


def _replica_actions(
    snapshot: Snapshot,
    target: Target,
    replicas: Mapping[str, RevisionReplicas],
    counts: Mapping[str, int],
    wanted: int,
) -> Iterator[Action]:
    if target.rendered is None:
        return
    deployment, name = snapshot.live.deployment, target.rendered.name
    if not target.kept:
        number = max((revision.number for revision in snapshot.revisions), default=0) + 1
        body = controller_revision(deployment, target.rendered, number, snapshot.cluster.operator_version)
        yield CreateRevision(body)
    if target.rendered.pods > 1:
        yield from groups.growth(snapshot, replicas.get(name), target.rendered, counts[name])
    elif not any(replica_set.revision == name for replica_set in snapshot.replica_sets):
        yield replica_sets.new_replica_set(deployment, target.rendered, counts[name])
    for revision, goal in counts.items():
        if revision in replicas:
            needed = min(goal, wanted)  # a goal beyond what is wanted is there to replace what leaves
            yield from replica_sets.moves(snapshot, replicas[revision], goal, needed)
            yield from groups.shrinking(snapshot, replicas[revision], goal, needed)


def _departures(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], counts: Mapping[str, int]
) -> tuple[list[Action], float | None]:
    """What goes on leaving, and when to look again."""
    pods, pods_seconds = replica_sets.departures(snapshot, replicas, counts)
    sets, sets_seconds = groups.departures(snapshot)
    waits = [seconds for seconds in (pods_seconds, sets_seconds) if seconds is not None]
    return [*pods, *sets], min(waits, default=None)


def _forgotten(snapshot: Snapshot, target: Target, replicas: Mapping[str, RevisionReplicas]) -> Iterator[Action]:
    """Empty ReplicaSets of other revisions, and revisions beyond those that are kept."""
    name = target.rendered.name if target.rendered else None
    yield from replica_sets.emptied(replicas, name)
    stay = never_forgotten(snapshot, target, replicas)
    spare = [revision for revision in snapshot.revisions if revision.name not in stay]
    spare.sort(key=lambda revision: -revision.number)
    for revision in spare[max(0, MOST_REVISIONS - len(replicas)) :]:
        yield DeleteRevision(revision.identity)


def _notes_on(actions: list[Action]) -> Iterator[Note]:
    """What was decided, in the order in which it happens."""
    made = [action.body for action in actions if isinstance(action, CreateGroup)]
    if made:
        size = made[0]["spec"]["leaderWorkerTemplate"]["size"]
        yield Note(
            "ScaledUp", f"Making {len(made)} more {verb(len(made), 'replica', 'replicas')} of {counted(size, 'pod')}."
        )
    for action in actions:
        match action:
            case CreateRevision(body):
                yield Note("NewRevision", f"Made revision {body['metadata']['labels']['stoker.dev/revision']}.")
            case Scale(replica_set, before, count, _):
                change = "up" if count > before else "down"
                yield Note(f"Scaled{change.title()}", f"Scaled {replica_set.name} {change} from {before} to {count}.")
            case Replace(pod, why, reason):
                yield Note(reason, f"Ending pod {pod.name} for another one: {why}.", warning=True)
            case DrainGroup(group, _, why):
                yield Note("ScaledDown", f"Taking replica {group.name} away ({why}).")
            case _:
                pass
