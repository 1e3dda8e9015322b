"""What keeps replicas countable: an owner for each object, and a tier for each leader."""

from collections.abc import Iterator, Mapping

from stoker.core.names import Tier
from stoker.core.plan.actions import Action, Adopt, ChildKind, Replace, Retier
from stoker.core.plan.commands import report_of, tell
from stoker.core.plan.replicas import RevisionReplicas, seat_of
from stoker.core.plan.revision import owner_reference
from stoker.core.plan.snapshot import Snapshot
from stoker.core.pool.report import Verb, again_seconds
from stoker.core.pool.seat import Want
from stoker.core.pool.steps import step
from stoker.core.pool.tiers import changes

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
    all_of_them = {
        replica.name: (replica, held.revision == current)
        for held in replicas.values()
        for replica in held.replicas
        if replica.leader and replica.tier in _COUNTED
    }
    seats = [seat_of(replica, snapshot, current=its) for replica, its in all_of_them.values()]
    wanted = changes(seats, want)
    actions: list[Action] = []
    waits: list[float] = []
    for seat in seats:
        replica, _ = all_of_them[seat.name]
        if replica.leader is None:
            continue
        report = report_of(replica.leader, snapshot)
        taken = step(seat.tier, wanted.get(seat.name, seat.tier), report)
        if taken.label:
            actions.append(Retier(replica.leader.identity, taken.label))
        elif taken.replace:
            actions.append(Replace(replica.leader.identity, taken.replace))
        elif taken.tell and report and (seat.ready or taken.tell is not Verb.DRAIN):
            # What is not ready takes no traffic, and says so itself.
            actions.append(tell(replica.leader, snapshot, taken.tell))
            waits.append(again_seconds(report.failures))
    return actions, min(waits, default=None)
