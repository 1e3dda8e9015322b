"""Every input of a decision, as an object, as JSON and as a sentence."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    before: int
    serving: int
    warm: int
    floor: int
    maximum: int
    reasons: tuple[str, ...]
    ready: int
    starting: int
    pending: int
    warm_ready: int
    resting: int
    draining: int
    known: int
    saturated: int
    unknown: int
    stuck_replicas: int
    in_flight: int
    waiting: int
    imbalance: float | None
    """Most requests of one replica over the mean; None with fewer than two replicas."""
    rate_per_second: float | None
    rate_window_seconds: float | None
    n_star: float | None
    capacity_per_second: float | None
    confidence: float
    lead_seconds: float
    hold_seconds: float
    backlog: float
    stuck_backlog: float
    projected_backlog: float
    drain_seconds: float | None
    by_rate: int
    by_queue: int
    by_backlog: int
    by_cache: int
    by_wait: int
    by_bursts: int
    by_hold: int
    held: int

    def as_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    def sentence(self) -> str:
        """For a person: what changes, and because of what."""
        change = f"{self.before} → {self.serving}" if self.serving != self.before else f"{self.serving}"
        parts = [_SAID[reason](self) for reason in self.reasons if reason in _SAID]
        return f"{change}: {'; '.join(parts or ['nothing asks for a change'])}"


def _per_second(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.2f}/s"


def _rate(e: Explanation) -> str:
    sure = f"{100 * e.confidence:.0f} % sure"
    return (
        f"{_per_second(e.rate_per_second)} arrive, a replica carries {_per_second(e.capacity_per_second)}"
        f" inside the objective ({sure}), so {e.by_rate} are needed"
    )


def _backlog(e: Explanation) -> str:
    drain = f", {e.by_backlog} replicas drain them in {e.drain_seconds:.0f} s" if e.drain_seconds is not None else ""
    return f"{e.projected_backlog:.0f} requests will wait when a new replica is ready in {e.lead_seconds:.0f} s{drain}"


def _blind(e: Explanation) -> str:
    if not e.ready:
        return "no replica is ready, so nothing is known of the load and none is removed"
    return f"{e.unknown} of {e.ready} ready replicas do not tell their load, so none is removed"


_SAID: dict[str, Callable[[Explanation], str]] = {
    "Rate": _rate,
    "Queue": lambda e: f"fewer than {e.by_queue} replicas would have made the last requests wait too long",
    "Backlog": _backlog,
    "Cache": lambda e: f"the KV caches need {e.by_cache} replicas",
    "Wait": lambda e: f"{e.waiting} requests wait in the engines longer than queueWaitMilliseconds",
    "Bursts": lambda e: (
        f"{e.by_bursts} replicas stand by for what comes faster than the {e.lead_seconds:.0f} s of a start"
    ),
    "Held": lambda e: f"{e.held} replicas were needed within the last {e.hold_seconds:.0f} s",
    "Floor": lambda e: f"the floor is {e.floor}",
    "Maximum": lambda e: f"maxReplicas is {e.maximum}",
    "Pending": lambda e: f"{e.pending} replicas already wait for a node",
    "Frozen": lambda _: "a rollout or a freeze holds the number",
    "Blind": _blind,
    "Saturated": lambda e: f"{e.saturated} of {e.ready} ready replicas answer too late to be counted",
    "Step": lambda _: "replicas go a few at a time",
    "Aside": lambda e: f"{e.resting} take no traffic until they have worked off their queue",
    "Idle": lambda _: "no request came for idleSeconds",
}
