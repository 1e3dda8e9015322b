"""What keeps replicas countable: an owner for each object, and a tier for each leader."""

from collections.abc import Iterator, Mapping

from stoker.core.names import Tier
from stoker.core.plan.actions import Action, Adopt, ChildKind, Retier
from stoker.core.plan.replicas import RevisionReplicas
from stoker.core.plan.revision import owner_reference
from stoker.core.plan.snapshot import Snapshot


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
    tiers = {tier.value for tier in Tier} - {Tier.DRAINING.value}
    for held in replicas.values():
        for replica in held.replicas:
            if replica.leader and replica.tier not in tiers:
                yield Retier(replica.leader.identity, Tier.SERVING)
