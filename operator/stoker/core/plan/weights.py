"""Where a replica finds its weights, or why it cannot have them yet."""

from dataclasses import dataclass

from stoker.api.v1alpha1.reason import Reason
from stoker.api.values.source import ClaimSource
from stoker.core.engine import Refusal
from stoker.core.plan.snapshot import Claim, Snapshot

# Modes in which one node at a time mounts the volume.
_ONE_NODE = {"ReadWriteOnce", "ReadWriteOncePod"}


@dataclass(frozen=True)
class Weights:
    """A folder on a claim. `waits` says why replicas may have to wait for it, although they can be made."""

    claim: str
    path: str  # below the root of the volume; empty: the root
    waits: Refusal | None = None
    one_node: bool = False


def claims_named(source: object) -> tuple[str, ...]:
    """The claims that a spec names, so that a snapshot has them."""
    return (source.claim,) if isinstance(source, ClaimSource) else ()


def weights_of(snapshot: Snapshot) -> Weights | Refusal:
    source = snapshot.live.deployment.spec.model.source
    if not isinstance(source, ClaimSource):
        return Refusal(
            Reason.SOURCE_NOT_SUPPORTED,
            f"spec.model.source {source} has to be fetched, which this version of Stoker does not do:"
            " put the weights on a claim and write pvc://CLAIM/PATH.",
        )
    claim = snapshot.claims.get(source.claim)
    if claim is None:
        return Refusal(
            Reason.CLAIM_MISSING,
            f"spec.model.source names the claim {source.claim}, which does not exist in namespace {snapshot.namespace}:"
            " create it, or correct the name.",
        )
    if claim.phase == "Lost":
        return Refusal(
            Reason.CLAIM_LOST,
            f"The volume of the claim {source.claim} is gone: restore it, or make a new claim.",
        )
    one_node = bool(claim.access_modes) and _ONE_NODE.issuperset(claim.access_modes)
    waits = None if claim.bound else _why_pending(claim, snapshot)
    return Weights(source.claim, source.path or "", waits, one_node)


def _why_pending(claim: Claim, snapshot: Snapshot) -> Refusal:
    name, classes = claim.identity.name, snapshot.cluster.storage_classes
    if claim.storage_class and classes is not None and claim.storage_class not in classes:
        known = ", ".join(sorted(classes)) or "none"
        return Refusal(
            Reason.STORAGE_CLASS_MISSING,
            f"The claim {name} names the StorageClass {claim.storage_class}, which does not exist."
            f" Classes of the cluster: {known}.",
        )
    said = next((trouble.message for trouble in snapshot.troubles if _is_about(trouble.kind, trouble.name, name)), "")
    return Refusal(Reason.CLAIM_PENDING, f"The claim {name} has no volume yet." + (f" {said}" if said else ""))


def _is_about(kind: str, name: str, claim: str) -> bool:
    return kind == "PersistentVolumeClaim" and name == claim
