"""Rows that were computed are kept, so that a run that was stopped goes on where it was.

A file under bench/scratch for each state of the sources: what was computed by others is never mixed in.
"""

import hashlib
import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.autoscaling.running import Row, Task

FOLDER = Path(__file__).parents[1] / "scratch" / "autoscaling"
SOURCES = ("operator/stoker/core", "operator/stoker/sim", "runtime-image/stoker_runtime/simulated", "bench/autoscaling")
ROOT = Path(__file__).parents[2]


class KeptRows:
    def __init__(self, folder: Path = FOLDER, root: Path = ROOT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / f"{_state(root)}.rows"
        self._rows: dict[Task, Row] = dict(self._read())
        self.made = 0

    def known(self, tasks: Iterable[Task]) -> list[Row]:
        return [self._rows[task] for task in tasks if task in self._rows]

    def unknown(self, tasks: Iterable[Task]) -> list[Task]:
        return [task for task in tasks if task not in self._rows]

    def keep(self, task: Task, row: Row) -> None:
        self.made += 1
        self._rows[task] = row
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


def _state(root: Path) -> str:
    digest = hashlib.sha256()
    for source in SOURCES:
        for path in sorted((root / source).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
