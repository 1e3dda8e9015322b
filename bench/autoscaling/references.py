"""What is reported beside the peers: the best fixed count, the cheapest plan of one who knows, a ceiling."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import ceil

from bench.autoscaling.fronts import SHARES
from bench.autoscaling.running import Row, Task, setup_of, trace_of
from bench.autoscaling.setting import Cell, Setting
from stoker.sim.policies import Situation
from stoker.sim.policies.clairvoyant import needs, reactive_ceiling

_COUNTS = 7
_UTILIZATIONS = (0.95, 0.85, 0.75)
_WINDOWS = (10.0, 30.0)


def tasks(cells: Iterable[Cell], seeds: Iterable[int]) -> list[Task]:
    """A fixed count does not depend on the cold start, and none of them uses a warm pool."""
    places = {Cell(cell.workload, cell.cold_seconds, 0) for cell in cells}
    coldest = {place.workload: max(p.cold_seconds for p in places if p.workload == place.workload) for place in places}
    found = []
    for seed in seeds:
        for place in sorted(places):
            for utilization in _UTILIZATIONS:
                for window in _WINDOWS:
                    knobs = (("utilization", utilization), ("window", window))
                    found.append(Task(place, Setting("clairvoyant", f"{utilization:g}, {window:g} s", knobs), seed))
            if place.cold_seconds == coldest[place.workload]:
                found += [
                    Task(place, Setting("static", str(count), (("replicas", float(count)),)), seed)
                    for count in _counts(place, seed)
                ]
    return found


def _counts(cell: Cell, seed: int) -> list[int]:
    situation = Situation(trace_of(cell.workload, seed), setup_of(cell))
    each = situation.capacity.rate_per_second
    least = max(1, ceil(len(situation.trace) / situation.trace.duration_seconds / each))
    most = min(situation.setup.maximum, max(needs(situation.trace, 10.0, each)) + 2)
    return sorted({round(least + (most - least) * step / (_COUNTS - 1)) for step in range(_COUNTS)})


@cache
def ceiling(cell: Cell, seeds: tuple[int, ...]) -> float:
    """Of a policy without standing capacity, mean over the seeds."""
    shares = []
    for seed in seeds:
        situation = Situation(trace_of(cell.workload, seed), setup_of(cell))
        shares.append(reactive_ceiling(situation.trace, situation.capacity.rate_per_second, cell.cold_seconds))
    return sum(shares) / len(shares)


def cheapest(rows: Sequence[Row], seeds: Sequence[int], take: Callable[[Row], bool]) -> dict[str, float | None]:
    """For each share the mean over seeds of the cheapest run that reaches it; None where a seed has none."""
    found: dict[str, float | None] = {}
    for share in SHARES:
        costs = []
        for seed in seeds:
            enough = [row.gpu_hours for row in rows if take(row) and row.seed == seed and row.share >= share]
            costs.append(min(enough, default=None))
        known = [cost for cost in costs if cost is not None]
        found[f"{100 * share:g}"] = round(sum(known) / len(known), 3) if len(known) == len(costs) else None
    return found
