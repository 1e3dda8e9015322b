"""Runs the matrix, prints where Stoker loses and the score, and keeps both under bench/results.

    python -m bench.autoscaling [--quick] [--workers 2] [--only WORKLOAD …]

Each policy's knob is swept on the tuning seeds, without a warm pool; the settings that make its front there, and its
default, are run on the reporting seeds, which no tuning has seen, with and without one.
"""

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from bench.autoscaling import fronts, references
from bench.autoscaling.compiled import start_again_compiled
from bench.autoscaling.fronts import Measured
from bench.autoscaling.kept import KeptRows
from bench.autoscaling.matrix import COMPARED, OURS, Matrix, full, grid, quick
from bench.autoscaling.report import Report, text, write
from bench.autoscaling.running import Row, Task, run
from bench.autoscaling.score import ByPolicy
from bench.autoscaling.setting import Cell, Setting
from stoker.sim.workloads import WORKLOADS

RESULTS = Path(__file__).parents[1] / "results"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.autoscaling", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="every workload at one start-up time, in two minutes")
    parser.add_argument(
        "--cold", nargs="+", type=float, default=[], metavar="SECONDS", help="only these start-up times"
    )
    parser.add_argument("--warm", nargs="+", type=int, default=[], metavar="COUNT", help="only these warm pools")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), help="processes (default: 2)")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORKLOAD", help="leave out the others")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results (default: bench/results)")
    parser.add_argument("--interpreted", action="store_true", help="do not compile the simulator first")
    options = parser.parse_args()
    if not options.interpreted:
        start_again_compiled("bench.autoscaling", sys.argv[1:])
    matrix = quick() if options.quick else full()
    matrix = replace(matrix, cells=[cell for cell in matrix.cells if _is_asked(cell, options)])
    began = time.monotonic()
    with ProcessPoolExecutor(options.workers) as pool:
        report = measure(matrix, pool)
    report = replace(report, seconds=time.monotonic() - began, workers=options.workers)
    print(text(report))
    name = "autoscaling-quick" if options.quick else "autoscaling"
    for path in write(report, options.out, name):
        print(f"written: {path}")


def _is_asked(cell: Cell, options: argparse.Namespace) -> bool:
    asked = ((options.only, cell.workload), (options.cold, cell.cold_seconds), (options.warm, cell.warm))
    return all(value in values for values, value in asked if values)


def measure(matrix: Matrix, pool: ProcessPoolExecutor) -> Report:
    book = KeptRows()
    grids = {policy: grid(policy, finer=matrix.finer) for policy in COMPARED}
    tuning = [
        Task(cell, setting, seed)
        for cell in sorted({_tuned_at(cell) for cell in matrix.cells})
        for policy in COMPARED
        for setting in grids[policy]
        for seed in matrix.tuning_seeds
    ]
    tuned = _by_cell(_run(pool, book, tuning, "tuning"), matrix.tuning_seeds)
    frozen = {cell: _frozen(by_policy, len(matrix.tuning_seeds)) for cell, by_policy in tuned.items()}
    reporting = [
        Task(cell, setting, seed)
        for cell in matrix.cells
        for policy in COMPARED
        for setting in frozen[_tuned_at(cell)][policy]
        for seed in matrix.reporting_seeds
    ]
    beside = references.tasks(matrix.cells, matrix.reporting_seeds)
    rows = _run(pool, book, reporting, "reporting")
    known = _run(pool, book, beside, "references")
    runs = len(tuning) + len(reporting) + len(beside)
    return Report(
        matrix=matrix,
        measured=_by_cell(rows, matrix.reporting_seeds),
        rows=rows,
        references=known,
        runs=runs,
        kept=runs - book.made,
        simulated_seconds=sum(
            WORKLOADS[task.cell.workload].duration_seconds for task in (*tuning, *reporting, *beside)
        ),
    )


def _tuned_at(cell: Cell) -> Cell:
    return replace(cell, warm=0)


def _frozen(tuned: ByPolicy, seeds: int) -> dict[str, list[Setting]]:
    means = {policy: {one.setting: one.mean(range(seeds)) for one in measured} for policy, measured in tuned.items()}
    return fronts.frozen(means, OURS)


def _run(pool: ProcessPoolExecutor, book: KeptRows, tasks: list[Task], what: str) -> list[Row]:
    """One trace after the other, so that each process makes few of them."""
    began = time.monotonic()
    missing = sorted(book.unknown(tasks), key=lambda task: (task.cell.workload, task.seed))
    for task, row in zip(missing, pool.map(run, missing, chunksize=8), strict=True):
        book.keep(task, row)
    seconds = time.monotonic() - began
    print(f"{what}: {len(missing)} simulations in {seconds:.0f} s, {len(tasks) - len(missing)} were kept", flush=True)
    return book.known(tasks)


def _by_cell(rows: Sequence[Row], seeds: Sequence[int]) -> dict[Cell, ByPolicy]:
    """Settings in the order of the grid, the default first."""
    found: dict[Cell, dict[Setting, dict[int, Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        found[row.cell][row.setting][row.seed] = row
    by_cell: dict[Cell, ByPolicy] = {}
    for cell, settings in found.items():
        by_policy: dict[str, list[Measured]] = {policy: [] for policy in COMPARED}
        for setting, of_seed in settings.items():
            shares = tuple(of_seed[seed].share for seed in seeds)
            hours = tuple(of_seed[seed].gpu_hours for seed in seeds)
            by_policy[setting.policy].append(Measured(setting, shares, hours))
        for measured in by_policy.values():
            measured.sort(key=lambda one: one.setting.label != "default")
        by_cell[cell] = by_policy
    return by_cell


if __name__ == "__main__":
    main()
