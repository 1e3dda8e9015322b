"""`python -m bench.operator_scale_table`: what a model costs in fleets of several sizes, from the runs that were kept.

    cost per model = (figure - figure of the smallest fleet) / (models - models of the smallest fleet)

A cost that is flat stays the same from line to line. The smallest fleet's own figure is what an operator takes at all.
"""

import json
from collections.abc import Mapping
from typing import Any

from bench.operator_scale import RESULTS

PER_MODEL = {
    "cold start": ("ms", 1e3),
    "resident memory after the start": ("kB", 1e3),
    "steady CPU": ("millionths of a core", 1e4),
}
PLAIN = ("edit to action, p99", "writes while idle")


def rows(runs: list[Mapping[str, Any]]) -> list[str]:
    """The figures of each run, and from the second on what every further model took."""
    runs = sorted(runs, key=lambda run: int(run["load"]["models"]))
    lines = []
    for run in runs:
        models, figures = int(run["load"]["models"]), run["figures"]
        lines.append(f"{models} models, {run['load']['pods']} pods, {run['when']}")
        for name in (*PER_MODEL, *PLAIN):
            if name not in figures:
                continue
            line = f"  {figures[name]['value']:10.3f} {figures[name]['unit']:14} {name}"
            least = runs[0]
            if name in PER_MODEL and run is not least and name in least["figures"]:
                unit, factor = PER_MODEL[name]
                further = models - int(least["load"]["models"])
                cost = (figures[name]["value"] - least["figures"][name]["value"]) * factor / further
                line += f": {cost:.2f} {unit} for each further model"
            lines.append(line)
    return lines


def main() -> None:
    kept = [json.loads(path.read_text()) for path in RESULTS.glob("operator-scale-*.json")]
    if not kept:
        raise SystemExit("there is no run yet: make bench-operator ARGS='--models 100', then with another number")
    print("\n".join(rows(kept)))


if __name__ == "__main__":
    main()
