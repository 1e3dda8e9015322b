"""One simulation of the matrix, in a process of its own."""

from functools import lru_cache
from typing import NamedTuple

from bench.autoscaling.setting import Cell, Setting
from stoker.sim.policies import Situation, policy
from stoker.sim.setup import Setup, Starting
from stoker.sim.trace import Trace
from stoker.sim.workloads import WORKLOADS
from stoker.sim.world import Model, simulate


class Task(NamedTuple):
    cell: Cell
    setting: Setting
    seed: int


class Row(NamedTuple):
    cell: Cell
    setting: Setting
    seed: int
    share: float
    gpu_hours: float
    share_by_p95_gap: float
    ttft_p99_seconds: float
    actions_per_hour: float
    reversals_per_hour: float
    direction_changes_per_hour: float
    lost: int  # cut and unfinished


@lru_cache(maxsize=8)  # the seeds of one workload
def trace_of(workload: str, seed: int) -> Trace:
    return WORKLOADS[workload].trace(seed)


def setup_of(cell: Cell) -> Setup:
    return Setup(warm=cell.warm, starting=Starting(cold_seconds=cell.cold_seconds))


def run(task: Task) -> Row:
    cell, setting, seed = task
    situation = Situation(trace_of(cell.workload, seed), setup_of(cell))
    made = policy(setting.policy, situation, setting.values(situation.capacity))
    result = simulate(Model(situation.trace, made, situation.setup), seed)
    late = result.ttft_p99_seconds
    return Row(
        cell,
        setting,
        seed,
        share=result.share,
        gpu_hours=result.gpu_hours,
        share_by_p95_gap=result.share_by_p95_gap,
        ttft_p99_seconds=float("inf") if late is None else late,
        actions_per_hour=result.actions / result.hours,
        reversals_per_hour=result.reversals / result.hours,
        direction_changes_per_hour=result.direction_changes / result.hours,
        lost=result.cut + result.unfinished,
    )
