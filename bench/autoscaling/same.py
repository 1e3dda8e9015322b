"""Runs some cells interpreted and compiled, demands equal rows, and prints what compiling saves.

python -m bench.autoscaling.same [--only WORKLOAD …]
"""

import argparse
import json
import os
import subprocess
import sys
import time

from bench.autoscaling.compiled import ROOT, built
from bench.autoscaling.running import Task, run, trace_of
from bench.autoscaling.setting import Cell, Setting
from stoker.sim.workloads import WORKLOADS

POLICIES = ("stoker", "hpa", "kpa", "clairvoyant")
SEED = 11
Found = dict[str, tuple[str, float]]


def rows(workloads: list[str]) -> Found:
    """Each row as text, every digit of it, and the processor's seconds that it took."""
    found = {}
    for workload in workloads:
        trace_of(workload, SEED)
        for policy in POLICIES:
            began = time.process_time()
            row = run(Task(Cell(workload, 120.0, 0), Setting(policy), SEED))
            found[f"{workload} {policy}"] = (repr(tuple(row[3:])), time.process_time() - began)
    return found


def _elsewhere(path: str, workloads: list[str]) -> Found:
    environment = os.environ | {"PYTHONPATH": path}
    command = [sys.executable, "-m", "bench.autoscaling.same", "--rows", "--only", *workloads]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return {name: (row, seconds) for name, (row, seconds) in json.loads(done.stdout).items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.autoscaling.same")
    parser.add_argument("--only", nargs="+", default=list(WORKLOADS), metavar="WORKLOAD", help="leave out the others")
    parser.add_argument("--rows", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rows:
        print(json.dumps(rows(options.only)))
        return 0
    folder = built()
    if folder is None:
        return 1
    interpreted = _elsewhere(f"{ROOT / 'operator'}:{ROOT / 'runtime-image'}", options.only)
    compiled = _elsewhere(str(folder), options.only)
    others = [name for name, (row, _) in interpreted.items() if compiled[name][0] != row]
    for policy in POLICIES:
        slow, fast = (
            sum(s for name, (_, s) in found.items() if name.endswith(policy)) for found in (interpreted, compiled)
        )
        print(f"{policy:<12} {slow:7.2f} s interpreted {fast:7.2f} s compiled {slow / fast:5.1f} times")
    print(f"{len(interpreted)} rows, {len(others)} that differ{': ' + ', '.join(others) if others else ''}")
    return 1 if others else 0


if __name__ == "__main__":
    raise SystemExit(main())
