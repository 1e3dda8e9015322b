"""The Lease that names the leader, and what to make of it. Nothing here asks the API server or looks at a clock.

Two candidates' clocks are never compared. The holder and the others each measure on a clock of their own:

    the holder leads until     sent + renewDeadline      sent:  before its last successful write was sent
    another takes over from    since + leaseDuration     since: after it first saw the lease as that write left it

Nobody sees a write before it was sent, so `sent` is before `since`, and renewDeadline < leaseDuration keeps the two
apart. The gap between them is for requests that the holder still has on their way, and for clocks that run unevenly.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any, Self

from stoker.kube.connection import ApiError, Json
from stoker.kube.resources import Key, Resource

LEASES = Resource("coordination.k8s.io", "v1", "leases")
NEEDED_VERBS = "get, create, update"


@dataclass(frozen=True)
class ElectionSettings:
    """Who stands for election, for which Lease, and how fast."""

    namespace: str
    name: str
    identity: str
    lease_seconds: int = 15
    renew_deadline_seconds: float = 10.0
    retry_seconds: float = 2.0
    request_timeout_seconds: float = 3.0

    def __post_init__(self) -> None:
        for field in ("namespace", "name", "identity"):
            if not getattr(self, field):
                raise ValueError(f"leader election: {field} is empty: give it a value")
        for field in ("lease_seconds", "renew_deadline_seconds", "retry_seconds", "request_timeout_seconds"):
            if getattr(self, field) <= 0:
                raise ValueError(f"leader election: {field} is {getattr(self, field):g}: it must be above 0")
        if self.retry_seconds >= self.renew_deadline_seconds:
            raise ValueError(
                f"leader election: retry_seconds is {self.retry_seconds:g}, renew_deadline_seconds is "
                f"{self.renew_deadline_seconds:g}: make the deadline longer, or a renewal is never tried in time"
            )
        if self.request_timeout_seconds >= self.gap_seconds:
            raise ValueError(
                f"leader election: request_timeout_seconds is {self.request_timeout_seconds:g}, lease_seconds minus "
                f"renew_deadline_seconds is {self.gap_seconds:g}: make the time-out shorter than that, or a request "
                "of a leader that has lost the lease may still be on its way when the next one begins"
            )

    @property
    def gap_seconds(self) -> float:
        """Between the end of one leader and the earliest beginning of the next: what is on its way must end in it."""
        return self.lease_seconds - self.renew_deadline_seconds

    @property
    def key(self) -> Key:
        return Key(self.namespace, self.name)


def new_identity(pod_name: str) -> str:
    """A container that is restarted in its pod is another candidate: it knows nothing of what the first had begun."""
    return f"{pod_name}_{secrets.token_hex(4)}"


@dataclass(frozen=True)
class Lease:
    """The Lease as the API server holds it."""

    raw: Mapping[str, Any]
    version: str
    holder: str
    renewed: str  # only ever compared for change: it is another machine's time
    duration_seconds: float | None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        try:
            version, spec = raw["metadata"]["resourceVersion"], raw.get("spec") or {}
            return cls(
                raw, version, spec.get("holderIdentity") or "", spec.get("renewTime") or "",
                spec.get("leaseDurationSeconds"),
            )  # fmt: skip
        except (KeyError, TypeError, AttributeError) as missing:
            # Without its version, nothing would keep two candidates from taking it at once.
            raise UnreadableLeaseError(f"the answer is no Lease: {missing!r} in {str(raw)[:200]}") from missing

    def same_as(self, other: "Lease") -> bool:
        return (self.version, self.holder, self.renewed) == (other.version, other.holder, other.renewed)

    def _with(self, spec: Mapping[str, Any]) -> Json:
        """Keeps all else as it is, the version among it, by which the server refuses what was decided too late."""
        return {**self.raw, "spec": {**(self.raw.get("spec") or {}), **spec}}

    def renewed_body(self, settings: ElectionSettings, now: datetime) -> Json:
        return self._with({"leaseDurationSeconds": settings.lease_seconds, "renewTime": micro_time(now)})

    def taken_body(self, settings: ElectionSettings, now: datetime) -> Json:
        transitions = (self.raw.get("spec") or {}).get("leaseTransitions") or 0
        return self._with(_taken_spec(settings, now, transitions + 1))

    def released_body(self, now: datetime) -> Json:
        return self._with({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": micro_time(now)})


class UnreadableLeaseError(Exception):
    """Something answered in the place of the API server."""


def new_lease_body(settings: ElectionSettings, now: datetime) -> Json:
    return {
        "apiVersion": f"{LEASES.group}/{LEASES.version}",
        "kind": "Lease",
        "metadata": {"namespace": settings.namespace, "name": settings.name},
        "spec": _taken_spec(settings, now, 0),
    }


def _taken_spec(settings: ElectionSettings, now: datetime, transitions: int) -> Json:
    return {
        "holderIdentity": settings.identity,
        "leaseDurationSeconds": settings.lease_seconds,
        "acquireTime": micro_time(now),
        "renewTime": micro_time(now),
        "leaseTransitions": transitions,
    }


def micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Sighting:
    """The lease as it was seen last, and since when it has looked like that, on our own clock."""

    lease: Lease | None = None
    since: float = float("-inf")
    vanished: bool = False

    def then(self, lease: Lease | None, now: float) -> "Sighting":
        """`now` is after the answer arrived. A lease that was deleted is remembered: its holder may not know yet."""
        if lease is None:
            return replace(self, vanished=True)
        if self.lease is not None and lease.same_as(self.lease):
            return Sighting(lease, self.since)
        return Sighting(lease, now)


class Move(Enum):
    """What a candidate does about what it saw."""

    CREATE = auto()
    TAKE = auto()
    RENEW = auto()
    STAND_BY = auto()


@dataclass(frozen=True)
class Decision:
    """The move, why, and for how long it is sure to stay the same unless the lease changes."""

    move: Move
    why: str
    for_seconds: float = 0.0


def decide(settings: ElectionSettings, seen: Sighting, now: float) -> Decision:
    """What a candidate that does not lead should do."""
    lease = seen.lease
    if lease is None:
        return Decision(Move.CREATE, "there was no lease")
    if lease.holder not in ("", settings.identity):
        duration = settings.lease_seconds if lease.duration_seconds is None else lease.duration_seconds
        left = seen.since + duration - now
        if left > 0:
            return Decision(Move.STAND_BY, f"{lease.holder} leads", left)
        why = f"{lease.holder} has not renewed the lease for {duration:g} s"
    else:
        why = "nobody held the lease"
    if seen.vanished:
        return Decision(Move.CREATE, f"the lease was deleted, and {why}")
    if lease.holder == settings.identity:
        return Decision(Move.RENEW, "the lease was taken by a request whose answer was lost")
    return Decision(Move.TAKE, why)


def loss(settings: ElectionSettings, lease: Lease | None) -> str | None:
    """Why a leader that sees this leads no more; None where it still may."""
    if lease is None:
        return "the lease was deleted"
    if lease.holder == settings.identity:
        return None
    return f"{lease.holder} took the lease" if lease.holder else "somebody emptied the lease"


def explained(settings: ElectionSettings, verb: str, refused: ApiError) -> str:
    """A refusal in words that say what to do about it."""
    what = f"cannot {verb} lease {settings.key}: {refused}"
    if refused.status == 403 and "being terminated" not in refused.message:
        return (
            f"{what}. The service account needs a Role in namespace {settings.namespace} with apiGroups "
            f"[{LEASES.group}], resources [{LEASES.plural}], verbs [{NEEDED_VERBS}]: {verb} is missing"
        )
    if refused.status == 404 and verb == "create":
        return f"{what}. Create namespace {settings.namespace}, or configure another one for the lease"
    if refused.status == 401:
        return f"{what}. The credentials have ended or are not of this cluster"
    return what
