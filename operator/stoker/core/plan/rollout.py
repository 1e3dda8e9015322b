"""How many replicas each revision should have.

With N replicas wanted, `ready` the ready replicas of the target revision and `old` those of the others:

    target = min(N, max(ready + 1, N - old))     one more than what is proven, and what nobody else provides
    old    = min(ready old, N - ready)           what is not ready serves nobody; what is replaced is not needed

So the serving replicas never fall below N while N are ready, and a target that never gets ready costs one replica and
nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Held:
    """What one revision has."""

    revision: str
    count: int
    ready: int


def goals(target: Held, old: Sequence[Held], wanted: int, *, paused: bool) -> dict[str, int]:
    """The count that each revision should come to; `old` begins with the newest, which is kept longest."""
    if not old:
        return {target.revision: wanted}
    old_count = sum(held.count for held in old)
    step = target.count if paused else target.ready + 1
    goals = {target.revision: min(wanted, max(step, target.count, wanted - old_count))}
    needed = max(0, wanted - target.ready)
    for held in old:
        goals[held.revision] = min(held.count if paused else held.ready, needed)
        needed -= goals[held.revision]
    return goals
