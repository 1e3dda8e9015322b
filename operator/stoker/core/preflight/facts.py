"""What was read of a cluster, or why it could not be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from stoker.core.permissions import Access
from stoker.core.preflight.check import Check, Level


class Silence(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"  # nobody answered
    UNAUTHENTICATED = "unauthenticated"  # the API server does not know who asks
    REFUSED = "refused"  # it answered that it will not, or cannot, say


@dataclass(frozen=True)
class Unread:
    """In place of a fact. Unknown is not zero: nothing may be concluded from it."""

    silence: Silence
    why: str

    def check(self, name: str, remedy: str = "") -> Check:
        return Check(name, Level.UNKNOWN, f"could not be read: {self.why}", remedy)


@dataclass(frozen=True)
class StorageClass:
    """A StorageClass, as far as claims for weights care."""

    name: str
    provisioner: str
    waits_for_consumer: bool
    default: bool


@dataclass(frozen=True)
class Node:
    """A node with its extended resources alone."""

    name: str
    ready: bool
    cordoned: bool
    labels: Mapping[str, str] = field(hash=False)
    capacity: Mapping[str, int] = field(hash=False)
    allocatable: Mapping[str, int] = field(hash=False)


@dataclass(frozen=True)
class Quota:
    """A ResourceQuota. One with scopes counts only some of the pods."""

    name: str
    hard: Mapping[str, str] = field(hash=False)
    used: Mapping[str, str] = field(hash=False)
    scoped: bool


@dataclass(frozen=True)
class Facts:
    """A cluster as `stoker preflight` sees it. What the configuration does not name does not exist."""

    address: str
    namespace: str
    version: str | Unread
    definition: Mapping[str, Any] | Unread | None = field(hash=False)
    storage_classes: tuple[StorageClass, ...] | Unread
    drivers: frozenset[str] | Unread
    nodes: tuple[Node, ...] | Unread
    namespace_exists: bool | Unread
    quotas: tuple[Quota, ...] | Unread
    priority_class_exists: bool | Unread
    runtime_class_exists: bool | Unread
    leader_worker_sets: bool | Unread
    allowed: Mapping[Access, bool | Unread] = field(hash=False)
