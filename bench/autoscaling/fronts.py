"""Costs at a share of requests inside the objective.

A policy's settings are points (mean share, mean GPU-hours). G(s) is the cost at share s on the lower convex hull of
them: the cheapest mix of two settings, or one setting, that reaches at least s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.autoscaling.matrix import Setting

SHARES = (0.95, 0.98, 0.99, 0.995)


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


def kept(measured: Mapping[Setting, Point]) -> list[Setting]:
    """The settings that make the hull at any of the shares, the best of all, and the default."""
    chosen = {next(iter(measured)), max(measured, key=lambda setting: measured[setting])}
    for share in SHARES:
        best: tuple[float, tuple[Setting, ...]] | None = None
        for low, (reached, cheap) in measured.items():
            if reached >= share:
                if best is None or cheap < best[0]:
                    best = cheap, (low,)
                continue
            for high, (more, dear) in measured.items():
                if more < share:
                    continue
                cost = cheap + (dear - cheap) * (share - reached) / (more - reached)
                if best is None or cost < best[0]:
                    best = cost, (low, high)
        if best is not None:
            chosen.update(best[1])
    return [setting for setting in measured if setting in chosen]
