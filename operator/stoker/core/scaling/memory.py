"""What the next decision needs of the earlier ones. A value: it can be written out at any tick and read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import TypeAdapter

from stoker.core.scaling.arrivals import History
from stoker.core.scaling.bursts import Bursts
from stoker.core.scaling.capacity import Fit
from stoker.core.scaling.lead_times import LeadTimes
from stoker.core.scaling.levels import Levels
from stoker.core.scaling.surge import Usual
from stoker.core.scaling.windows import Seen


@dataclass(frozen=True, slots=True)
class Memory:
    at_seconds: float | None = None
    """When the last decision was made; None: never."""
    wanted: int | None = None
    """Serving replicas of the last decision."""
    up_seconds: float | None = None
    down_seconds: float | None = None
    busy_seconds: float | None = None
    """When a request was last seen."""
    queueing_since_seconds: float | None = None
    in_flight_mean: float | None = None
    """Requests of the last seconds, see need."""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    history: History = field(default_factory=History)
    levels: Levels = field(default_factory=Levels)
    bursts: Bursts = field(default_factory=Bursts)
    usual: Usual = field(default_factory=Usual)
    fits: Mapping[str, Fit] = field(default_factory=dict)
    """By revision and product, see `fit_key`."""
    lead_times: LeadTimes = field(default_factory=lambda: LeadTimes({}))
    resting: tuple[str, ...] = ()
    """The uids of replicas that stand aside."""

    @classmethod
    def empty(cls) -> Self:
        return cls()

    def to_json(self) -> str:
        return _ADAPTER.dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Memory":
        return _ADAPTER.validate_json(text)


_ADAPTER = TypeAdapter(Memory)

MOST_FITS = 8


def fit_key(revision: str, product: str) -> str:
    return f"{revision} {product}"
