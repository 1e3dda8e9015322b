"""The claim that Stoker makes for a model's weights: its size, and who takes it along when it goes."""

import math
from typing import Any

from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.v1alpha1.weights import Claim as WantedClaim
from stoker.api.v1alpha1.weights import DeletionPolicy
from stoker.api.values.quantity import Quantity
from stoker.core.names import claim_name, identity_labels
from stoker.core.plan.actions import Action, CreateClaim, MendClaim
from stoker.core.plan.revision import owner_reference
from stoker.core.plan.snapshot import Claim, Cluster

Json = dict[str, Any]
_GIB = 1 << 30
# What the file system and a download under way take besides the files.
_ROOM_SHARE = 1.05
_LEAST_REVISIONS = 2


def size_of(wanted: WantedClaim, total_bytes: int, keep_revisions: int) -> str:
    """A new revision is fetched while the old one serves, so there is room for two at least."""
    if wanted.size:
        return str(wanted.size)
    revisions = max(keep_revisions, _LEAST_REVISIONS)
    return f"{math.ceil(total_bytes * revisions * _ROOM_SHARE / _GIB) + 1}Gi"


def new_claim(deployment: ModelDeployment, wanted: WantedClaim, size: str, cluster: Cluster) -> CreateClaim:
    defaults = cluster.configuration.storage
    modes = wanted.access_modes or defaults.access_modes
    storage_class = wanted.storage_class_name or defaults.storage_class_name
    name = deployment.metadata.name
    body: Json = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim_name(name),
            "namespace": deployment.metadata.namespace,
            "labels": identity_labels(name),
        },
        "spec": {
            "accessModes": [mode.value for mode in modes],
            "resources": {"requests": {"storage": size}},
        },
    }
    if storage_class:
        body["spec"]["storageClassName"] = storage_class
    if deployment.spec.weights.deletion_policy == DeletionPolicy.DELETE:
        body["metadata"]["ownerReferences"] = [owner_reference(deployment)]
    return CreateClaim(body)


def mended_claim(
    deployment: ModelDeployment, wanted: WantedClaim, claim: Claim, size: str, cluster: Cluster
) -> tuple[Action, ...]:
    """Owner and size as the spec has them now. A claim that was retained is taken over with all that is on it.

    `size` is what a new claim would have. Where the spec names none and the class allows it, the claim grows to it."""
    goes_along = deployment.spec.weights.deletion_policy == DeletionPolicy.DELETE
    actions: list[Action] = []
    if goes_along and claim.owner_uid != deployment.metadata.uid:
        owner = {"metadata": {"ownerReferences": [owner_reference(deployment)]}}
        actions.append(MendClaim(claim.identity, owner, "it goes with the ModelDeployment"))
    elif not goes_along and claim.owner_uid:
        free = {"metadata": {"ownerReferences": None}}
        actions.append(MendClaim(claim.identity, free, "it outlives the ModelDeployment"))
    elif _grows(wanted, claim, size, cluster):
        larger = {"spec": {"resources": {"requests": {"storage": size}}}}
        actions.append(MendClaim(claim.identity, larger, f"it grows to {size}"))
    return tuple(actions)


def _grows(wanted: WantedClaim, claim: Claim, size: str, cluster: Cluster) -> bool:
    """A size that somebody wrote is asked for in any case, so that the API server's refusal is seen."""
    if claim.size_bytes is None or Quantity.parse(size).whole_units <= claim.size_bytes:
        return False
    return bool(wanted.size) or (claim.bound and claim.storage_class in cluster.growing_classes)
