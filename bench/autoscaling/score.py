"""Stoker against the best of its peers.

Score = geometric mean over cells and shares s of G_ours(s) / min over peers G(s).

- A peer reaches s and ours does not: a loss, which counts as 2.
- Ours alone reaches s: compared at the best share that a peer has, and counted as no less than 0.5.
- Nobody reaches s: listed apart with the costs at the best share that both have. It counts for nothing in the score,
  and as a loss in the strict score.

Intervals come from resampling the seeds, the same for all policies and cells.
"""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bench.autoscaling.fronts import SHARES, Measured, Point, cost_at
from bench.autoscaling.matrix import OURS
from bench.autoscaling.setting import Cell

RESAMPLES = 400
NO_PEER, LOSS = 0.5, 2.0
_HIGHER, _CHEAPER = 0.002, 0.02

ByPolicy = Mapping[str, Sequence[Measured]]


class Kind(StrEnum):
    COMPARED = "compared"
    ALONE = "no peer reaches it"
    NEITHER = "nobody reaches it"
    LOSS = "a peer reaches it and ours does not"


@dataclass(frozen=True)
class Ratio:
    value: float
    peer: str
    kind: Kind


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


def ratio(points: Mapping[str, Sequence[Point]], share: float) -> Ratio:
    ours = points[OURS]
    mine = cost_at(ours, share)
    costs = {name: cost_at(those, share) for name, those in points.items() if name != OURS}
    reached = {name: cost for name, cost in costs.items() if cost is not None}
    if reached:
        peer = min(reached, key=lambda name: reached[name])
        if mine is None:
            return Ratio(LOSS, peer, Kind.LOSS)
        return Ratio(mine / reached[peer], peer, Kind.COMPARED)
    at = min(max(ours)[0], max(_best_peer(points))[0])
    peer, cost = _cheapest_peer(points, at)
    common = cost_at(ours, at) or cost
    if mine is None:
        return Ratio(common / cost, peer, Kind.NEITHER)
    return Ratio(max(NO_PEER, common / cost), peer, Kind.ALONE)


def _best_peer(points: Mapping[str, Sequence[Point]]) -> Sequence[Point]:
    return max((those for name, those in points.items() if name != OURS), key=lambda those: max(those)[0])


def _cheapest_peer(points: Mapping[str, Sequence[Point]], share: float) -> tuple[str, float]:
    costs = ((name, cost_at(those, share)) for name, those in points.items() if name != OURS)
    return min(((name, cost) for name, cost in costs if cost is not None), key=lambda item: item[1])


def points_of(measured: ByPolicy, chosen: Sequence[int]) -> dict[str, list[Point]]:
    return {name: [one.mean(chosen) for one in settings] for name, settings in measured.items()}


def geometric(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))


def draws(seeds: int) -> list[tuple[int, ...]]:
    chance = random.Random(7)  # noqa: S311 - to repeat, not to hide
    return [tuple(sorted(chance.choices(range(seeds), k=seeds))) for _ in range(RESAMPLES)]


def score(cells: Mapping[Cell, ByPolicy], seeds: int, *, strict: bool = False) -> Interval | None:
    """The geometric mean and the interval that holds 95 % of its resamples; None where nobody reaches any share."""
    known: dict[tuple[int, ...], float | None] = {}

    def at(chosen: tuple[int, ...]) -> float | None:
        if chosen not in known:
            points = [points_of(measured, chosen) for measured in cells.values()]
            ratios = [ratio(those, share) for those in points for share in SHARES]
            counted = [_counted(one) for one in ratios if strict or one.kind is not Kind.NEITHER]
            known[chosen] = geometric(counted) if counted else None
        return known[chosen]

    value = at(tuple(range(seeds)))
    if value is None:
        return None
    values = sorted(one for chosen in draws(seeds) if (one := at(chosen)) is not None)
    return Interval(value, values[int(0.025 * len(values))], values[int(0.975 * len(values)) - 1])


def _counted(one: Ratio) -> float:
    return LOSS if one.kind is Kind.NEITHER else one.value


@dataclass(frozen=True)
class Dominated:
    cell: Cell
    by: Measured
    ours: Measured


def dominated(cell: Cell, measured: ByPolicy, seeds: int) -> list[Dominated]:
    """Settings of peers with 0.2 points more inside and 2 % fewer GPU-hours than our default, beyond chance."""
    ours = measured[OURS][0]
    everything = tuple(range(seeds))
    share, cost = ours.mean(everything)
    found = []
    for name, settings in measured.items():
        for one in settings if name != OURS else ():
            more, cheaper = one.mean(everything)
            if more >= share + _HIGHER and cheaper <= cost * (1 - _CHEAPER) and _surely(one, ours, seeds):
                found.append(Dominated(cell, one, ours))
    return found


def _surely(one: Measured, ours: Measured, seeds: int) -> bool:
    shares, costs = [], []
    for chosen in draws(seeds):
        (more, cheaper), (share, cost) = one.mean(chosen), ours.mean(chosen)
        shares.append(more - share)
        costs.append(cheaper - cost)
    tail = int(0.025 * RESAMPLES)
    return sorted(shares)[tail] > 0 and sorted(costs)[-1 - tail] < 0
