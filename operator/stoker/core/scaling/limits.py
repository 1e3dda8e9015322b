"""What may be ordered, whatever the load asks for.

a freeze                     serving = before
a rollout beside the old     serving ≥ before
a rollout instead of them    before - pending ≤ serving ≤ before

serving ≤ maximum                                      serving ones go first
serving ≤ max(serving now, placed + warm + pending)    no more may wait for a node than maxPending
serving ≥ min(floor, maximum)
warm    ≤ maximum - serving
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from stoker.core.scaling.demands import Reason
from stoker.core.scaling.observation import Limits, Rolling


@dataclass(frozen=True, slots=True)
class Limited:
    serving: int
    reasons: AbstractSet[Reason]


def limited(wanted: int, before: int, placed: int, warm_ready: int, limits: Limits) -> Limited:
    reasons = set()
    serving = wanted
    if limits.max_pending is not None:
        most = max(before, placed + warm_ready + limits.max_pending)
        if serving > most:
            serving = most
            reasons.add(Reason.PENDING)
    if serving < limits.floor:
        serving = limits.floor
        reasons.add(Reason.FLOOR)
    if serving > limits.maximum:
        serving = limits.maximum
        reasons.add(Reason.MAXIMUM)
    return Limited(max(0, serving), reasons)


def held_by_others(wanted: int, before: int, pending: int, limits: Limits) -> int:
    """What a freeze or a rollout leaves of it. Replicas of two revisions at once say nothing about one too many, and an
    order that finds no place must not hold up the rollout that waits for it."""
    if limits.frozen:
        return before
    if limits.rolling is Rolling.BESIDE:
        return max(before, wanted)
    if limits.rolling is Rolling.INSTEAD:
        return min(before, max(before - pending, wanted))
    return wanted
