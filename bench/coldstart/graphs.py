"""The start with compiled graphs: made by the engine, and taken from what a pod before has left, as the agent does.

The engine is the same real vLLM. On the CPU its graphs become C++, of which the image `compiler` makes code; what is
kept, and where, is as on a GPU.
"""

import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.coldstart.image_root import NOBODY, ImageRoot, empty
from bench.coldstart.measures import AS_COMMAND, FLAGS
from bench.coldstart.phases import figures_of
from bench.coldstart.start import one_start
from stoker_runtime.agent.compiled import Compiled

IMAGE = "compiler"
WORKPLACE = "var/cache/vllm/torch_compile_cache"
EAGER, ANEW, KEPT = "no graphs", "graphs compiled anew", "graphs that a pod before has compiled"
Rows = dict[str, Callable[[], dict[str, float]]]


def rows(root: ImageRoot, kept: Path) -> Rows:
    kept.mkdir()
    return {row: partial(_measured, root, row, kept) for row in (EAGER, ANEW, KEPT)}


def _measured(root: ImageRoot, row: str, kept: Path) -> dict[str, float]:
    own = root.folder / WORKPLACE
    for folder in (own, root.folder / "tmp"):
        empty(folder)
    os.chown(own, NOBODY, NOBODY)
    carried = Compiled(own, kept, "bench")
    taking_seconds = _taken(carried) if row == KEPT else 0.0
    flags = [flag for flag in FLAGS if row == EAGER or flag != "--enforce-eager"]
    load = os.getloadavg()[0]
    start = one_start(root, [*AS_COMMAND, *flags], {"TORCHDYNAMO_DISABLE": "1"} if row == EAGER else {})
    if row == ANEW:
        shutil.rmtree(carried.place, ignore_errors=True)
        if (said := carried.keep()) is None:
            raise SystemExit("bench.coldstart: nothing was compiled that could be kept")
        print(said, flush=True)
    found = {"graphs taken": taking_seconds} | figures_of(start, load)
    return found | {"total": taking_seconds + found["total"]}


def _taken(carried: Compiled) -> float:
    began = time.monotonic()
    if carried.take() is None:
        raise SystemExit("bench.coldstart: nothing was kept by the row before")
    for folder, folders, files in os.walk(carried.own):
        for name in (*folders, *files):
            os.chown(Path(folder, name), NOBODY, NOBODY, follow_symlinks=False)
    return time.monotonic() - began
