"""spec.weights: the volume that the weights are fetched to, and how long they stay."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stoker.api.declaration import SET, ApiModel, Effect, TransitionRule, Unit
from stoker.api.v1alpha1.model import ObjectReference
from stoker.api.v1alpha1.names import ObjectName
from stoker.api.values.quantity import Quantity


class AccessMode(StrEnum):
    """How many nodes may mount the volume, as in core/v1."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_MANY = "ReadWriteMany"
    READ_WRITE_ONCE_POD = "ReadWriteOncePod"
    READ_ONLY_MANY = "ReadOnlyMany"


class DeletionPolicy(StrEnum):
    """What happens to the weights when the ModelDeployment is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Claim(ApiModel):
    """A PersistentVolumeClaim that Stoker makes for this model."""

    size: Annotated[Quantity | None, Effect.LIVE] = Field(None, examples=["100Gi"])
    """Size of the volume. It can be raised later, not lowered. Absent: measured from the source, with room for
    `keepRevisions`."""

    storage_class_name: ObjectName | None = Field(None, examples=["fast-rwx"])
    """StorageClass of the volume. Absent: the operator's configuration, then the cluster's default."""

    access_modes: Annotated[tuple[AccessMode, ...], SET] = Field((), max_length=4, examples=[["ReadWriteMany"]])
    """Access modes of the volume; ReadWriteMany lets replicas run on many nodes. Empty: the
    operator's configuration."""


class Storage(ApiModel):
    """Where the weights are kept: exactly one of its fields. Reserved for later: nodeLocal, imageVolume, stream."""

    exactly_one_of = ("claim", "existing_claim")

    claim: Claim | None = Field(None, examples=[{"size": "100Gi", "storageClassName": "fast-rwx"}])
    """A claim that Stoker makes for this model."""

    existing_claim: ObjectReference | None = Field(None, examples=[{"name": "shared-models"}])
    """A claim that exists and that several ModelDeployments may share. Stoker writes one folder for each revision and
    never deletes the claim."""


_SAME_CLAIM = (
    "!has(self.storage.claim) || !has(oldSelf.storage.claim)"
    " || (has(self.storage.claim.storageClassName) == has(oldSelf.storage.claim.storageClassName)"
    " && (!has(self.storage.claim.storageClassName)"
    " || self.storage.claim.storageClassName == oldSelf.storage.claim.storageClassName)"
    " && has(self.storage.claim.accessModes) == has(oldSelf.storage.claim.accessModes)"
    " && (!has(self.storage.claim.accessModes) || self.storage.claim.accessModes == oldSelf.storage.claim.accessModes))"
)
_NOT_SMALLER = (
    "!has(self.storage.claim) || !has(oldSelf.storage.claim) || !has(oldSelf.storage.claim.size)"
    " || (has(self.storage.claim.size) && (!isQuantity(string(self.storage.claim.size))"
    " || !quantity(string(self.storage.claim.size)).isLessThan(quantity(string(oldSelf.storage.claim.size)))))"
)


class Weights(ApiModel):
    """How the weights are stored."""

    # The rules stand here and not on `storage`, because unsetting `storage` would leave a rule of its own unevaluated.
    transition_rules = (
        TransitionRule(
            cel="has(self.storage.claim) == has(oldSelf.storage.claim)"
            " && (!has(self.storage.existingClaim) || !has(oldSelf.storage.existingClaim)"
            " || self.storage.existingClaim.name == oldSelf.storage.existingClaim.name)",
            says="storage cannot move to another claim later: make a second ModelDeployment with the new storage",
            at=".storage",
        ),
        TransitionRule(
            cel=_SAME_CLAIM,
            says="storageClassName and accessModes of a claim cannot be changed, set or unset later:"
            " make a second ModelDeployment with the new storage",
            at=".storage",
        ),
        TransitionRule(
            cel=_NOT_SMALLER,
            says="a claim cannot shrink: leave size as it was or raise it",
            at=".storage",
        ),
    )

    storage: Annotated[Storage, Effect.FIXED] = Field(Storage(claim=Claim()), examples=[{"claim": {"size": "100Gi"}}])
    """The volume. Only the size of a claim can be changed later, upwards."""

    keep_revisions: Annotated[int, Unit("revisions")] = Field(2, ge=1, le=20, examples=[2])
    """Fetched revisions that stay on the volume, the one in use among them, so that a rollback downloads nothing."""

    deletion_policy: DeletionPolicy = Field(DeletionPolicy.RETAIN, examples=["Delete"])
    """Whether the claim that Stoker made stays (Retain) or goes (Delete) with the ModelDeployment."""
