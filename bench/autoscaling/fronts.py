"""Costs at a share of requests inside the objective.

A policy's settings are points (mean share, mean GPU-hours). G(s) is the cost at share s on the lower convex hull of
them: the cheapest mix of two settings, or one setting, that reaches at least s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.autoscaling.setting import Setting

SHARES = (0.95, 0.98, 0.99, 0.995)
FROZEN_SHARES = (0.93, *SHARES, 0.999)
"""Other seeds are harder or easier than those of the tuning: what is frozen reaches a little further at both ends."""
CLEARLY_DEARER = 1.4
"""Times the cheapest peer's cost at a share on the tuning seeds: it is not the cheapest of other seeds."""
CLEARLY_LESS = 0.02


@dataclass(frozen=True)
class Measured:
    """One setting in one cell: an entry for each seed, in the same order for all."""

    setting: Setting
    shares: tuple[float, ...]
    gpu_hours: tuple[float, ...]

    def mean(self, chosen: Sequence[int]) -> tuple[float, float]:
        count = len(chosen)
        return sum(self.shares[index] for index in chosen) / count, sum(self.gpu_hours[i] for i in chosen) / count


Point = tuple[float, float]


def cost_at(points: Sequence[Point], share: float) -> float | None:
    """None where no setting reaches it."""
    costs = [cost for reached, cost in points if reached >= share]
    if not costs:
        return None
    best = min(costs)
    for low, cheap in points:
        if low >= share:
            continue
        for high, dear in points:
            if high >= share:
                best = min(best, cheap + (dear - cheap) * (share - low) / (high - low))
    return best


def frozen(tuned: Mapping[str, Mapping[Setting, Point]], ours: str) -> dict[str, list[Setting]]:
    """What is run on the reporting seeds: each default, our front, and what may be the cheapest of the peers."""
    chosen = {policy: {next(iter(settings))} for policy, settings in tuned.items()}
    bests = {policy: max(settings.values())[0] for policy, settings in tuned.items()}
    most = max(share for policy, share in bests.items() if policy != ours)
    for policy, settings in tuned.items():
        if policy == ours or bests[policy] >= most - CLEARLY_LESS:
            chosen[policy].add(max(settings, key=lambda setting: settings[setting]))
    for share in FROZEN_SHARES:
        mixes = {policy: mix for policy, settings in tuned.items() if (mix := _cheapest_mix(settings, share))}
        least = min((cost for policy, (cost, _) in mixes.items() if policy != ours), default=0.0)
        for policy, (cost, mixed) in mixes.items():
            if policy == ours or cost <= CLEARLY_DEARER * least:
                chosen[policy].update(mixed)
    return {policy: [one for one in settings if one in chosen[policy]] for policy, settings in tuned.items()}


def _cheapest_mix(settings: Mapping[Setting, Point], share: float) -> tuple[float, tuple[Setting, ...]] | None:
    """One setting, or two, that reach the share at the least cost; None where none does."""
    best: tuple[float, tuple[Setting, ...]] | None = None
    for low, (reached, cheap) in settings.items():
        if reached >= share:
            if best is None or cheap < best[0]:
                best = cheap, (low,)
            continue
        for high, (more, dear) in settings.items():
            if more < share:
                continue
            cost = cheap + (dear - cheap) * (share - reached) / (more - reached)
            if best is None or cost < best[0]:
                best = cost, (low, high)
    return best
