"""How many replicas each revision should have.

With N replicas wanted, `ready` the proven replicas of the target revision and `old` what the others have:

    missing  = 1 where one replica is exchanged for another, else 0
    needed   = N - ready - missing                     how many old replicas have to stay
    old      = ready ones first, then of the last good revision those that are not ready, up to `needed`
    growth   = N - old - target, while no target is proven    more than there was: of the good revision, if that serves
    target   = min(N, max(ready + 1 - missing, N - old))   one more than what is proven, and what nobody else provides

So the ready replicas never fall below N - missing by a rollout's own doing, and a target that never gets ready costs
`missing` replicas and nothing else. Blue-green wants N of both until traffic moves. What is not ready serves nobody,
so it leaves first; but of the revision that is known to be good it comes back, and a broken target must not take its
place. For the same reason a load that grows before the target has proven anything is served by what is known to work.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stoker.core.plan.rollout.steps import Step


@dataclass(frozen=True)
class Held:
    """What one revision has."""

    revision: str
    count: int
    ready: int
    good: bool = False  # whether it is the last one that is known to work


def goals(target: Held, old: Sequence[Held], wanted: int, step: Step, *, paused: bool = False) -> dict[str, int]:
    """The count that each revision should come to; `old` begins with the newest, which is kept longest."""
    if not old:
        return {target.revision: wanted}
    old_count = sum(held.count for held in old)
    if paused:
        return _as_it_is(target, old, wanted, old_count)
    if (grown := _growth(target, old, wanted)) and step in {Step.SURGING, Step.EXCHANGING}:
        old = [replace(held, count=held.count + grown) if held is _known_to_work(old) else held for held in old]
        old_count += grown
    missing = 1 if step is Step.EXCHANGING else 0
    needed = wanted if step is Step.HOLDING else max(0, wanted - target.ready - missing)
    if step in {Step.HOLDING, Step.SWITCHED}:
        count = wanted
    else:
        count = min(wanted, max(target.ready + 1 - missing, target.count, wanted - old_count))
    return {target.revision: count} | _kept(old, needed, [held for held in old if held.good])


def not_begun(target: Held, old: Sequence[Held], wanted: int) -> dict[str, int]:
    """What there is serves on, and grows and shrinks as it would without a target."""
    grown = max(0, wanted - sum(held.count for held in old))
    grows = _known_to_work(old) or old[0]
    old = [replace(held, count=held.count + grown) if held is grows else held for held in old]
    return {target.revision: target.count} | _kept(old, wanted, old)


def _growth(target: Held, old: Sequence[Held], wanted: int) -> int:
    """What is wanted beyond all that there is. An empty target is what the rollout itself is about to begin with."""
    if target.ready or not target.count or _known_to_work(old) is None:
        return 0
    return max(0, wanted - target.count - sum(held.count for held in old))


def _known_to_work(old: Sequence[Held]) -> Held | None:
    return next((held for held in old if held.good and held.ready), None)


def _kept(old: Sequence[Held], needed: int, healed: Sequence[Held]) -> dict[str, int]:
    """What is ready, and then what is not of those that are healed."""
    kept = {}
    for held in old:
        kept[held.revision] = min(held.ready, held.count, needed)
        needed -= kept[held.revision]
    for held in healed:
        more = min(held.count - kept[held.revision], needed)
        kept[held.revision] += more
        needed -= more
    return kept


def _as_it_is(target: Held, old: Sequence[Held], wanted: int, old_count: int) -> dict[str, int]:
    """Neither set moves because of the other; only a change of what is wanted reaches them."""
    count = min(wanted, max(target.count, wanted - old_count))
    return {target.revision: count} | _kept(old, wanted, old)
