"""The figures as text, as JSON and as plots. Losses come first."""

import json
import platform
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.autoscaling.fronts import SHARES, cost_at
from bench.autoscaling.matrix import COMPARED, OURS, Matrix
from bench.autoscaling.references import ceiling, cheapest
from bench.autoscaling.running import Row
from bench.autoscaling.score import ByPolicy, Interval, Kind, Ratio, dominated, points_of, ratio, score
from bench.autoscaling.setting import Cell, Setting
from bench.circumstances import when_and_where
from stoker.sim.plot import Panel, Series, comparison, svg
from stoker.sim.workloads import WORKLOADS

TARGET, WORST = 0.75, 1.03


@dataclass(frozen=True)
class Report:
    matrix: Matrix
    measured: Mapping[Cell, ByPolicy]
    rows: Sequence[Row]
    references: Sequence[Row]
    runs: int
    simulated_seconds: float
    seconds: float = 0.0
    workers: int = 1
    kept: int = 0
    """Of the runs, those that an earlier command had made from the same sources."""

    @property
    def seeds(self) -> int:
        return len(self.matrix.reporting_seeds)

    def ratios(self) -> dict[Cell, dict[float, Ratio]]:
        everything = range(self.seeds)
        points = {cell: points_of(measured, everything) for cell, measured in self.measured.items()}
        return {cell: {share: ratio(those, share) for share in SHARES} for cell, those in points.items()}

    def by_workload(self) -> dict[str, Interval | None]:
        groups: dict[str, dict[Cell, ByPolicy]] = defaultdict(dict)
        for cell, measured in self.measured.items():
            groups[cell.workload][cell] = measured
        return {name: score(cells, self.seeds) for name, cells in groups.items()}


def text(report: Report) -> str:
    overall, strict = score(report.measured, report.seeds), score(report.measured, report.seeds, strict=True)
    workloads = report.by_workload()
    lines = ["", "LOSSES", *_losses(report, workloads), ""]
    met = "met" if overall is not None and overall.value <= TARGET else "MISSED"
    lines.append(f"SCORE {_interval(overall)}  (our GPU-hours / the best peer's; target at most {TARGET}: {met})")
    lines.append(f"      {_interval(strict)}  where what nobody reaches counts as a loss")
    lines += [f"  {name:<16}{_interval(one)}" for name, one in workloads.items()]
    marks = "* no peer reaches it; † nobody does: at the best share that both have, not in the score"
    lines += ["", f"AT EQUAL SHARE (our GPU-hours / the best peer's; {marks})", *_equal_shares(report)]
    lines += [
        "",
        "BESIDE ONE WHO KNOWS (our GPU-hours / his, where phases last more than 5 cold starts)",
        *_knowing(report),
    ]
    lines += ["", "DEFAULTS (% inside @ GPU-hours, mean over seeds)", *_defaults(report)]
    lines += ["", "STEADINESS (reversals within 300 s / all changes of direction, an hour)", *_steadiness(report)]
    lines.append("")
    made = f"{report.runs} simulations of {report.simulated_seconds / 3600:.0f} hours in all"
    kept = f", {report.kept} of them kept from before" if report.kept else ""
    lines.append(f"{made}{kept}; {report.seconds:.0f} s with {report.workers} processes")
    return "\n".join(lines)


def _losses(report: Report, workloads: Mapping[str, Interval | None]) -> list[str]:
    lines = [
        f"  {name}: {_interval(one)}, above {WORST}"
        for name, one in workloads.items()
        if one is not None and one.value > WORST
    ]
    for cell, found in sorted(report.ratios().items()):
        worse = [
            f"{100 * share:g} %: {_cost(one)} ({one.peer})"
            for share, one in found.items()
            if one.kind is Kind.LOSS or (one.kind is not Kind.NEITHER and one.value > WORST)
        ]
        if worse:
            lines.append(f"  {cell}: " + "; ".join(worse))
    for cell, measured in sorted(report.measured.items()):
        for one in dominated(cell, measured, report.seeds):
            (more, cheaper), (share, cost) = (each.mean(range(report.seeds)) for each in (one.by, one.ours))
            name = f"{one.by.setting.policy} ({one.by.setting.label})"
            lines.append(f"  {cell}: dominated by {name}: {_point(more, cheaper)} against {_point(share, cost)}")
    return lines or ["  none"]


def _equal_shares(report: Report) -> list[str]:
    lines = [f"  {'':<36}" + "".join(f"{f'{100 * share:g} %':>22}" for share in SHARES)]
    for cell, found in sorted(report.ratios().items()):
        row = "".join(f"{f'{_cost(one)} {one.peer}':>22}" for one in found.values())
        lines.append(f"  {cell!s:<36}{row}")
    return lines


def _knowing(report: Report) -> list[str]:
    seeds = report.matrix.reporting_seeds
    lines = []
    for cell, measured in sorted(report.measured.items()):
        if cell.warm or WORKLOADS[cell.workload].phase_seconds <= 5 * cell.cold_seconds:
            continue
        points = [one.mean(range(report.seeds)) for one in measured[OURS]]
        row = ""
        for name, known in _clairvoyant(report, cell, seeds).items():
            ours = cost_at(points, float(name) / 100)
            row += f"{'-' if ours is None or known is None else f'{ours / known:.2f}':>22}"
        lines.append(f"  {cell!s:<36}{row}")
    return lines or ["  no such cell"]


def _clairvoyant(report: Report, cell: Cell, seeds: Sequence[int]) -> dict[str, float | None]:
    here = [row for row in report.references if row.cell.workload == cell.workload]
    return cheapest(
        here, seeds, lambda row: row.setting.policy == "static" or row.cell.cold_seconds == cell.cold_seconds
    )


def _cost(one: Ratio) -> str:
    if one.kind is Kind.LOSS:
        return "never"
    mark = {Kind.ALONE: "*", Kind.NEITHER: "†"}.get(one.kind, "")
    return f"{one.value:.2f}{mark}"


def _defaults(report: Report) -> list[str]:
    lines = [f"  {'':<36}" + "".join(f"{name:>14}" for name in COMPARED) + f"{'ceiling':>10}"]
    for cell, measured in sorted(report.measured.items()):
        row = "".join(f"{_point(*measured[name][0].mean(range(report.seeds))):>14}" for name in COMPARED)
        lines.append(f"  {cell!s:<36}{row}{100 * ceiling(cell, report.matrix.reporting_seeds):>10.1f}")
    return lines


def _steadiness(report: Report) -> list[str]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in report.rows:
        if row.setting.label == "default":
            found[row.cell.workload, row.setting.policy].append(row)
    lines = [f"  {'':<36}" + "".join(f"{name:>14}" for name in COMPARED)]
    for workload in dict.fromkeys(name for name, _ in found):
        cells = []
        for policy in COMPARED:
            rows = found[workload, policy]
            back, changes = _mean(rows, "reversals_per_hour"), _mean(rows, "direction_changes_per_hour")
            cells.append(f"{f'{back:.1f}/{changes:.1f}':>14}")
        lines.append(f"  {workload:<36}{''.join(cells)}")
    return lines


def _mean(rows: Iterable[Row], field: str) -> float:
    return fmean(getattr(row, field) for row in rows)


def _point(share: float, cost: float) -> str:
    return f"{100 * share:.1f}@{cost:.2f}"


def _interval(one: Interval | None) -> str:
    if one is None:
        return "nobody reaches any of the shares"
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def write(report: Report, folder: Path, name: str) -> list[Path]:
    """One JSON file, and a plot of the fronts for each start-up time without a warm pool."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(_json(report), encoding="utf-8")
    written = [path]
    for cold in sorted({cell.cold_seconds for cell in report.measured}):
        panels = [
            _fronts(cell, measured, report.seeds)
            for cell, measured in sorted(report.measured.items())
            if cell.cold_seconds == cold and cell.warm == 0
        ]
        plot = folder / f"{name}-cold-{cold:g}.svg"
        plot.write_text(svg(panels), encoding="utf-8")
        written.append(plot)
    return written


def _fronts(cell: Cell, measured: ByPolicy, seeds: int) -> Panel:
    series = []
    for policy, settings in measured.items():
        points = sorted(one.mean(range(seeds)) for one in settings)
        series.append(Series(policy, [(cost, 100 * share) for share, cost in points]))
    return comparison(str(cell), series)


def _json(report: Report) -> str:
    overall, workloads, ratios = score(report.measured, report.seeds), report.by_workload(), report.ratios()
    head: dict[str, Any] = {
        **when_and_where(),
        "python": platform.python_version(),
        "stoker": metadata.version("stoker"),
        "simulations": report.runs,
        "kept": report.kept,
        "seconds": round(report.seconds),
        "processes": report.workers,
        "tuning_seeds": list(report.matrix.tuning_seeds),
        "reporting_seeds": list(report.matrix.reporting_seeds),
        "objective": "2 s to the first token, 0.1 s mean between tokens",
        "score": _numbers(overall),
        "score_strict": _numbers(score(report.measured, report.seeds, strict=True)),
        "workloads": {name: _numbers(one) for name, one in workloads.items()},
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
    cells = ",\n".join(
        json.dumps(_cell(report, cell, ratios[cell]), ensure_ascii=False) for cell in sorted(report.measured)
    )
    return "\n".join(("{", *lines, f'"cells": [\n{cells}\n]', "}", ""))


def _cell(report: Report, cell: Cell, ratios: Mapping[float, Ratio]) -> dict[str, Any]:
    seeds = report.matrix.reporting_seeds
    here = [row for row in report.references if row.cell.workload == cell.workload]
    return {
        "workload": cell.workload,
        "cold_seconds": cell.cold_seconds,
        "warm": cell.warm,
        "ratios": {
            f"{100 * share:g}": {"ratio": round(one.value, 3), "peer": one.peer, "kind": one.kind}
            for share, one in ratios.items()
        },
        "reactive_ceiling": round(ceiling(cell, seeds), 4),
        "best_static": cheapest(here, seeds, lambda row: row.setting.policy == "static"),
        "clairvoyant": _clairvoyant(report, cell, seeds),
        "settings": [_setting(report, cell, policy) for policy in COMPARED],
    }


def _setting(report: Report, cell: Cell, policy: str) -> dict[str, Any]:
    found: dict[str, Any] = {"policy": policy}
    here: dict[Setting, list[Row]] = defaultdict(list)
    for row in report.rows:
        if row.cell == cell and row.setting.policy == policy:
            here[row.setting].append(row)
    for one in report.measured[cell][policy]:
        rows = here[one.setting]
        found[one.setting.label] = {
            "share": [round(value, 5) for value in one.shares],
            "gpu_hours": [round(value, 3) for value in one.gpu_hours],
            "share_by_p95_gap": round(_mean(rows, "share_by_p95_gap"), 4),
            "ttft_p99_seconds": round(_mean(rows, "ttft_p99_seconds"), 2),
            "actions_per_hour": round(_mean(rows, "actions_per_hour"), 2),
            "reversals_per_hour": round(_mean(rows, "reversals_per_hour"), 2),
            "direction_changes_per_hour": round(_mean(rows, "direction_changes_per_hour"), 2),
            "lost": sum(row.lost for row in rows),
        }
    return found


def _numbers(one: Interval | None) -> dict[str, float] | None:
    if one is None:
        return None
    return {"value": round(one.value, 4), "low": round(one.low, 4), "high": round(one.high, 4)}
