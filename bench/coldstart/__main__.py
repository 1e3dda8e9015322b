"""`python -m bench.coldstart`: real vLLM on the CPU, from exec to its first completion, phase by phase.

    python -m bench.coldstart [--image runtime] [--rounds 3] [--only NAME...] [--graphs]

Each row adds one measure to the row above. Rounds are interleaved, so that a disturbance meets all rows; the figures
are medians, and the load of the machine stands beside them. With --graphs the rows are of a start with compiled graphs.
Needs root and Linux. Prints the figures and keeps them under bench/results.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from datetime import UTC, datetime
from functools import partial
from multiprocessing import Process
from pathlib import Path
from typing import Any

from bench.coldstart import graphs
from bench.coldstart.graphs import Rows
from bench.coldstart.image_root import ImageRoot, empty, image_root
from bench.coldstart.measures import MEASURES, Measure
from bench.coldstart.page_cache import evict, files_below, loaded_at_a_start, read
from bench.coldstart.phases import figures_of
from bench.coldstart.private_network import archive_inside
from bench.coldstart.start import one_start
from build_steps.python_start import COLLECTOR
from e2e.models.build import build as build_model

RESULTS = Path(__file__).parent.parent / "results"


def measured(root: ImageRoot, measure: Measure) -> dict[str, float]:
    files = files_below(root.folder / "usr") + files_below(root.folder / "opt")
    wanted = loaded_at_a_start(files)
    set_collector(root, seldom=measure.seldom_collects)
    empty(root.folder / "tmp")
    evict(files) if measure.from_disk else read(wanted)
    load = os.getloadavg()[0]
    reader = Process(target=read, args=(wanted if measure.reads_ahead else [],))
    reader.start()
    start = one_start(root, measure.arguments, measure.environment)
    reader.join()
    return figures_of(start, load)


def set_collector(root: ImageRoot, *, seldom: bool) -> None:
    """The image sets it in a file that every start of its Python reads; an image without that file has no such row."""
    for path in root.folder.glob("usr/local/lib/python3*/dist-packages/stoker.pth"):
        others = [line for line in path.read_text().splitlines() if line != COLLECTOR]
        path.write_text("\n".join([*others, COLLECTOR] if seldom else others) + "\n")


def medians(runs: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for run in runs for name in run)
    return {name: round(statistics.median(run.get(name, 0.0) for run in runs), 2) for name in names}


def report(figures: dict[str, dict[str, float]]) -> None:
    for name, figure in figures.items():
        total = figure["total"]
        print(f"{name}: {total:.1f} s ({figure['CPU']:.1f} s of CPU, load {figure['load before']:.1f})")
        for phase, seconds in figure.items():
            if phase not in {"total", "CPU", "load before"}:
                print(f"    {seconds:6.2f} s  {phase}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--image", help="of `python -m e2e.images list`, with vLLM in it (default: runtime, or compiler with --graphs)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=[measure.name for measure in MEASURES], metavar="NAME")
    parser.add_argument("--graphs", action="store_true", help="what it takes to compile them, and to take kept ones")
    options = parser.parse_args()
    if options.only and options.graphs:
        parser.error("--only names rows of a start without graphs: leave out --graphs")
    options.image = options.image or (graphs.IMAGE if options.graphs else "runtime")
    archive = archive_inside("bench.coldstart", options.image)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        build_model("tiny-llama", Path(folder, "model"))
        with image_root(archive, Path(folder, "model")) as root:
            rows = graphs.rows(root, Path(folder, "kept")) if options.graphs else _rows(root, options.only)
            runs: dict[str, list[dict[str, float]]] = {name: [] for name in rows}
            for number in range(options.rounds):
                for name, start in rows.items():
                    runs[name].append(start())
                    print(f"round {number + 1}: {name}: {runs[name][-1]['total']:.1f} s", flush=True)
    kept = {name: medians(found) for name, found in runs.items()}
    report(kept)
    keep(options, runs, kept)


def _rows(root: ImageRoot, only: list[str] | None) -> Rows:
    return {measure.name: partial(measured, root, measure) for measure in MEASURES if not only or measure.name in only}


def keep(options: argparse.Namespace, runs: dict[str, Any], figures: dict[str, Any]) -> None:
    if options.only:
        return
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "kernel": platform.release()},
        "image": options.image,
        "rounds": runs,
        "medians": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    name = "coldstart-graphs" if options.graphs else "coldstart"
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
