"""What is run: cells, policies with the values of one knob each, seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.autoscaling.setting import Cell, Setting
from stoker.sim.policies import PEERS
from stoker.sim.workloads import WORKLOADS

OURS = "stoker"
COMPARED = (OURS, *PEERS)
COLD_SECONDS = (40.0, 120.0, 300.0)
WARM = (0, 1)
TUNING_SEEDS = (11, 12)  # 1 to 99 may be looked at while a policy is worked on
REPORTING_SEEDS = (601, 602, 603, 604, 605)  # 101 to 105, 201 to 203 and those from 301 to 505 have been seen


@dataclass(frozen=True)
class Matrix:
    cells: Sequence[Cell]
    tuning_seeds: tuple[int, ...]
    reporting_seeds: tuple[int, ...]
    finer: bool  # the whole grid of each knob


def full() -> Matrix:
    cells = [Cell(name, cold, warm) for name in WORKLOADS for cold in COLD_SECONDS for warm in WARM]
    return Matrix(cells, TUNING_SEEDS, REPORTING_SEEDS, finer=True)


def quick() -> Matrix:
    cells = [Cell(name, 120.0, 0) for name in WORKLOADS]
    return Matrix(cells, TUNING_SEEDS[:1], REPORTING_SEEDS[:3], finer=False)


def _by_target(policy: str, utilization: float) -> list[Setting]:
    shares = (0.1, 0.15, 0.22, 0.3, 0.5, 0.75, 1.0)
    return [Setting(policy, f"target {share:g}·n*", of_concurrency=share / utilization) for share in shares]


def _by_value(policy: str, knob: str, values: Sequence[float]) -> list[Setting]:
    return [Setting(policy, f"{knob} {value:g}", ((knob, value),)) for value in values]


# The one documented knob of each that trades latency for replicas, from what carries a peak of many times the load on
# what stands to what is full all the time; defaults come on top.
_GRIDS: Mapping[str, Sequence[Setting]] = {
    OURS: _by_value(OURS, "headroom", (2.0, 1.5, 1.2, 0.8, 0.6, 0.4, 0.25, 0.15, 0.1, 0.05)),
    "hpa": _by_target("hpa", 1.0)[:-1],  # the last is the default
    "keda": _by_value("keda", "threshold", (1, 2, 3, 10, 20, 30)),
    "kpa": _by_target("kpa", 0.7),
    "kubeai": _by_target("kubeai", 1.0),
    "aibrix": _by_target("aibrix", 1.0)[:-1],
    "wva": _by_value("wva", "kv_threshold", (0.15, 0.2, 0.25, 0.3, 0.4, 0.6)),
    "dynamo": _by_value("dynamo", "itl", (0.023, 0.0245, 0.026, 0.029, 0.032, 0.065)),
}


def grid(policy: str, *, finer: bool) -> list[Setting]:
    """With the default first. The seven peers together have five times as many: ours is whole in either case."""
    settings = list(_GRIDS[policy])
    return [Setting(policy), *(settings if finer or policy == OURS else settings[1::2])]
