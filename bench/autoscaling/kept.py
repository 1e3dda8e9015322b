"""Rows that were computed are kept, so that a run that was stopped goes on where it was.

A file under bench/scratch for each state of the sources: what was computed by others is never mixed in. A peer's rows
do not hang on how Stoker decides, so that a change of that leaves them as they are.
"""

import hashlib
import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.autoscaling.matrix import OURS
from bench.autoscaling.running import Row, Task

FOLDER = Path(__file__).parents[1] / "scratch" / "autoscaling"
ROOT = Path(__file__).parents[2]
SIMULATOR = (
    "operator/stoker/sim",
    "operator/stoker/core/names.py",
    "operator/stoker/core/scaling/observation.py",
    "runtime-image/stoker_runtime/simulated",
    "bench/autoscaling/running.py",
    "bench/autoscaling/setting.py",
)
DECISIONS = ("operator/stoker/core",)


class KeptRows:
    def __init__(self, folder: Path = FOLDER, root: Path = ROOT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._ours = _File(folder / f"stoker-{_state(root, (*SIMULATOR, *DECISIONS))}.rows")
        self._peers = _File(folder / f"peers-{_state(root, SIMULATOR)}.rows")
        self.made = 0

    def known(self, tasks: Iterable[Task]) -> list[Row]:
        found = (self._of(task).rows.get(task) for task in tasks)
        return [row for row in found if row is not None]

    def unknown(self, tasks: Iterable[Task]) -> list[Task]:
        return [task for task in tasks if task not in self._of(task).rows]

    def keep(self, task: Task, row: Row) -> None:
        self.made += 1
        self._of(task).add(task, row)

    def _of(self, task: Task) -> "_File":
        return self._ours if task.setting.policy == OURS else self._peers


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: dict[Task, Row] = dict(self._read())

    def add(self, task: Task, row: Row) -> None:
        self.rows[task] = row
        with self._path.open("ab") as file:
            pickle.dump((task, row), file)

    def _read(self) -> Iterator[tuple[Task, Row]]:
        """Up to a record that was cut off by the end of its process."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            good = 0
            try:
                while True:
                    yield pickle.load(file)  # noqa: S301 - written above
                    good = file.tell()
            except (EOFError, pickle.UnpicklingError):
                pass
        with self._path.open("r+b") as file:
            file.truncate(good)


def _state(root: Path, sources: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        for path in sorted((root / source).rglob("*.py")) if not source.endswith(".py") else [root / source]:
            if path.exists():
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
