"""What `stoker explain` knows of one model."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from stoker.api.v1alpha1.reason import Reason
from stoker.cli.fleet.prospects import prospects
from stoker.cli.fleet.seen import Json, Said, Seen, number_in, part
from stoker.cli.fleet.why import is_abnormal

MOST_HAPPENINGS = 10
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Happening:
    """One Event."""

    at: datetime
    warning: bool
    reason: str
    message: str
    count: int


@dataclass(frozen=True)
class Account:
    """One model at one moment."""

    model: Seen
    happenings: tuple[Happening, ...] | None
    """The latest first; None: they could not be read."""
    now: datetime


def happenings(events: Iterable[Json]) -> tuple[Happening, ...]:
    found = [
        Happening(
            at=_latest(event),
            warning=event.get("type") == "Warning",
            reason=str(event.get("reason") or ""),
            message=str(event.get("message") or ""),
            count=number_in(part(event, "series"), "count") or number_in(event, "count") or 1,
        )
        for event in events
    ]
    return tuple(sorted(found, key=lambda one: one.at, reverse=True)[:MOST_HAPPENINGS])


def _latest(event: Json) -> datetime:
    """Each writer of Events fills in other fields."""
    moments = (part(event, "series").get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((found for text in moments if (found := moment(text))), _LONG_AGO)


def moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def remedy(said: Said) -> str | None:
    """None: nothing to do, said already, or a reason of another version."""
    if not is_abnormal(said) or said.reason not in set(Reason):
        return None
    advice = Reason(said.reason).explanation.remedy
    return None if advice == "Nothing to do." or advice in said.message else advice


def ago(at: datetime, now: datetime) -> str:
    seconds = (now - at).total_seconds()
    if seconds < 5:  # or in the future, where two clocks differ
        return "just now"
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def as_json(account: Account) -> dict[str, Any]:
    model = account.model
    raw = model.raw
    return {
        "namespace": model.namespace,
        "name": model.name,
        "ready": model.is_ready,
        "generation": model.generation,
        "observedGeneration": model.observed_generation,
        "replicas": asdict(model.tiers),
        "requests": {"running": model.running, "waiting": model.waiting},
        "scaling": dict(part(part(raw, "status"), "scaling")),
        "conditions": [asdict(said) | {"remedy": remedy(said)} for said in model.conditions.values()],
        "events": None
        if account.happenings is None
        else [asdict(one) | {"at": one.at.isoformat()} for one in account.happenings],
        "whatWouldChangeIt": list(prospects(model)),
    }
