"""What keeps replicas countable: an owner for each object, and a tier for each leader."""

from collections.abc import Iterator, Mapping

from stoker.core.names import Tier
from stoker.core.plan.actions import Action, Adopt, ChildKind, Replace, Retier
from stoker.core.plan.commands import report_of, tell
from stoker.core.plan.replicas import RevisionReplicas, seat_of
from stoker.core.plan.revision import owner_reference
from stoker.core.plan.snapshot import Snapshot
from stoker.core.pool.report import again_seconds
from stoker.core.pool.seat import Want
from stoker.core.pool.steps import steps

_COUNTED = {tier.value for tier in Tier} - {Tier.DRAINING.value}


def adoptions(snapshot: Snapshot) -> Iterator[Action]:
    """A ModelDeployment that was deleted without its children and made anew finds them by label and goes on."""
    owner = owner_reference(snapshot.live.deployment)
    for replica_set in snapshot.replica_sets:
        if not replica_set.owner_uid and not replica_set.deleting:
            yield Adopt(ChildKind.REPLICA_SET, replica_set.identity, owner)
    for group in snapshot.groups:
        if not group.owner_uid and not group.deleting:
            yield Adopt(ChildKind.GROUP, group.identity, owner)
    for revision in snapshot.revisions:
        if not revision.owner_uid:
            yield Adopt(ChildKind.REVISION, revision.identity, owner)


def mended_tiers(replicas: Mapping[str, RevisionReplicas]) -> Iterator[Action]:
    """A replica that counts but is in no tier would be paid for and serve nobody."""
    for held in replicas.values():
        for replica in held.replicas:
            if replica.leader and replica.tier not in _COUNTED:
                yield Retier(replica.leader.identity, Tier.SERVING)


def moved_tiers(
    snapshot: Snapshot, replicas: Mapping[str, RevisionReplicas], want: Want, current: str
) -> tuple[list[Action], float | None]:
    """The next step of each replica towards its tier; and when to look again. What is mended in the same plan is looked
    at in the next one."""
    leaders = {
        replica.name: (replica, replica.leader, held.revision == current)
        for held in replicas.values()
        for replica in held.replicas
        if replica.leader and replica.tier in _COUNTED
    }
    seats = [seat_of(replica, snapshot, current=its) for replica, _, its in leaders.values()]
    reports = {name: report_of(leader, snapshot) for name, (_, leader, _) in leaders.items()}
    actions: list[Action] = []
    waits: list[float] = []
    for name, taken in steps(seats, want, reports).items():
        _, leader, _ = leaders[name]
        report = reports[name]
        if taken.label:
            actions.append(Retier(leader.identity, taken.label))
        if taken.replace:
            actions.append(Replace(leader.identity, taken.why, taken.replace))
        if taken.tell and report:
            actions.append(tell(leader, snapshot, taken.tell))
            waits.append(again_seconds(report.failures))
    return actions, min(waits, default=None)
