"""What of an object is not as it should be.

Server-side apply sets what Stoker states and leaves the rest, so it neither saves the write where nothing differs nor
removes what somebody added, such as one more label to a Service's selector. Both are found here, before any write.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stoker.core.plan.snapshot import ObjectKind

Json = dict[str, Any]

# What the API server, or a controller of Kubernetes, fills in.
_FILLED_IN: Mapping[ObjectKind, frozenset[str]] = {
    ObjectKind.SERVICE: frozenset(
        {
            "clusterIP",
            "clusterIPs",
            "internalTrafficPolicy",
            "ipFamilies",
            "ipFamilyPolicy",
            "sessionAffinity",
            "type",
            "trafficDistribution",
        }
    ),
}


@dataclass(frozen=True)
class Difference:
    """`stated` tells whether something that should be there is not; `surplus` is the merge patch that removes what
    should not be there."""

    stated: bool
    surplus: Json

    def __bool__(self) -> bool:
        return self.stated or bool(self.surplus)


def difference(kind: ObjectKind, desired: Mapping[str, Any], found: Mapping[str, Any]) -> Difference:
    """Both as whole objects; of the metadata only labels and owners count, and labels may have company."""
    desired_metadata, found_metadata = desired["metadata"], found["metadata"]
    found_labels = found_metadata.get("labels") or {}
    stated = any(found_labels.get(key) != value for key, value in desired_metadata["labels"].items())
    stated = stated or not _owned_alike(desired_metadata, found_metadata)
    filled_in = _FILLED_IN.get(kind, frozenset())
    found_spec = {key: value for key, value in (found.get("spec") or {}).items() if key not in filled_in}
    surplus: Json = {}
    differs = _compare(desired["spec"], found_spec, surplus, alike=_alike if kind in _FILLED_IN else _same)
    return Difference(stated or differs, {"spec": surplus} if surplus else {})


def _owned_alike(desired: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    uids = {owner["uid"] for owner in found.get("ownerReferences") or ()}
    return all(owner["uid"] in uids for owner in desired["ownerReferences"])


def _compare(
    desired: Mapping[str, Any], found: Mapping[str, Any], surplus: Json, alike: Callable[[Any, Any], bool]
) -> bool:
    """Whether a stated value differs; what is not stated goes into `surplus` as null."""
    differs = False
    for key in found:
        if key not in desired:
            surplus[key] = None
    for key, value in desired.items():
        if isinstance(value, Mapping) and isinstance(found.get(key), Mapping):
            inner: Json = {}
            differs = _compare(value, found[key], inner, alike) or differs
            if inner:
                surplus[key] = inner
        elif (value and not alike(value, found.get(key))) or (not value and found.get(key)):
            differs = True
    return differs


def _same(desired: Any, found: Any) -> bool:
    return bool(desired == found)


def _alike(desired: Any, found: Any) -> bool:
    """Entries of lists may have fields that the server filled in."""
    if isinstance(desired, Mapping) and isinstance(found, Mapping):
        return all(_alike(value, found.get(key)) for key, value in desired.items())
    if isinstance(desired, list) and isinstance(found, list):
        return len(desired) == len(found) and all(map(_alike, desired, found))
    return bool(desired == found)
