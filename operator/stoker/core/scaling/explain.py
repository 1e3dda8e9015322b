"""Every input of a decision, as an object, as JSON and as a sentence."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from stoker.core.counted import counted, share, verb


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
        f" inside the objective ({sure}), so {e.by_rate} {verb(e.by_rate, 'is', 'are')} needed"
    )


def _backlog(e: Explanation) -> str:
    waiting = counted(round(e.projected_backlog), "request")
    drain = ""
    if e.drain_seconds is not None:
        drain = f", {counted(e.by_backlog, 'replica', 'drains', 'drain')} them in {e.drain_seconds:.0f} s"
    return f"{waiting} will wait when a new replica is ready in {e.lead_seconds:.0f} s{drain}"


def _blind(e: Explanation) -> str:
    if not e.ready:
        return "no replica is ready, so nothing is known of the load and none is removed"
    told = verb(e.unknown, "does not tell its load", "do not tell their load")
    return f"{share(e.unknown, e.ready, 'ready replica')} {told}, so none is removed"


_SAID: dict[str, Callable[[Explanation], str]] = {
    "Rate": _rate,
    "Queue": lambda e: f"fewer than {counted(e.by_queue, 'replica')} would have made the last requests wait too long",
    "Backlog": _backlog,
    "Cache": lambda e: f"the KV caches need {counted(e.by_cache, 'replica')}",
    "Wait": lambda e: (
        f"{counted(e.waiting, 'request', 'waits', 'wait')} in the engines longer than queueWaitMilliseconds"
    ),
    "Bursts": lambda e: (
        f"{counted(e.by_bursts, 'replica', 'stands', 'stand')} by for what comes faster than the"
        f" {e.lead_seconds:.0f} s of a start"
    ),
    "Held": lambda e: f"{counted(e.held, 'replica', 'was', 'were')} needed within the last {e.hold_seconds:.0f} s",
    "Floor": lambda e: f"the floor is {e.floor}",
    "Maximum": lambda e: f"maxReplicas is {e.maximum}",
    "Pending": lambda e: f"{counted(e.pending, 'replica')} already {verb(e.pending, 'waits', 'wait')} for a node",
    "Frozen": lambda _: "a rollout or a freeze holds the number",
    "Blind": _blind,
    "Saturated": lambda e: (
        f"{share(e.saturated, e.ready, 'ready replica', 'answers', 'answer')} too late to be counted"
    ),
    "Step": lambda _: "replicas go a few at a time",
    "Aside": lambda e: (
        f"{e.resting} {verb(e.resting, 'takes no traffic until it has', 'take no traffic until they have')}"
        " worked off the queue"
    ),
    "Idle": lambda _: "no request came for idleSeconds",
}
