"""Where a replica finds its weights, or why it cannot have them yet."""

from dataclasses import dataclass

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.reason import Reason
from stoker.api.values.source import ClaimSource
from stoker.core.engine import Refusal
from stoker.core.names import claim_name
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
    folder: str = ""  # of a claim that Stoker fills: what a server sees of it


def claims_named(name: str, spec: Spec) -> tuple[str, ...]:
    """The claims that a model may use, so that a snapshot has them."""
    existing = spec.weights.storage.existing_claim
    source = spec.model.source
    if isinstance(source, ClaimSource):
        return (source.claim,)
    return (existing.name if existing else claim_name(name),)


def claim_weights(snapshot: Snapshot, name: str, path: str, field: str = "spec.model.source") -> Weights | Refusal:
    claim = snapshot.claims.get(name)
    if claim is None:
        return Refusal(
            Reason.CLAIM_MISSING,
            f"{field} names the claim {name}, which does not exist in namespace {snapshot.namespace}:"
            " create it, or correct the name.",
        )
    if claim.phase == "Lost":
        return Refusal(
            Reason.CLAIM_LOST,
            f"The volume of the claim {name} is gone: restore it, or make a new claim.",
        )
    one_node = bool(claim.access_modes) and _ONE_NODE.issuperset(claim.access_modes)
    waits = None if claim.bound else _why_pending(claim, snapshot)
    return Weights(name, path, waits, one_node)


def _why_pending(claim: Claim, snapshot: Snapshot) -> Refusal:
    name, classes = claim.identity.name, snapshot.cluster.storage_classes
    if claim.storage_class and classes is not None and claim.storage_class not in classes:
        known = ", ".join(sorted(classes)) or "none"
        return Refusal(
            Reason.STORAGE_CLASS_MISSING,
            f"The claim {name} names the StorageClass {claim.storage_class}, which does not exist."
            f" Create it, or make the claim anew with one of those that exist: {known}.",
        )
    said = next((trouble.message for trouble in snapshot.troubles if _is_about(trouble.kind, trouble.name, name)), "")
    remedy = Reason.CLAIM_PENDING.explanation.remedy
    return Refusal(Reason.CLAIM_PENDING, f"The claim {name} has no volume yet{f': {said}' if said else ''} → {remedy}")


def _is_about(kind: str, name: str, claim: str) -> bool:
    return kind == "PersistentVolumeClaim" and name == claim
