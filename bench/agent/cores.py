"""Which cores what is measured may use, and whether it waits for one behind others."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# What answers does not wait for its own pipe's core, nor who asks for either: with cores to spare each has one.
_WORKS, _ANSWERS = 1, 2


@dataclass(frozen=True)
class Cores:
    """`own` is empty where nobody has a core to itself."""

    own: frozenset[int]
    first: bool = False  # it is let in before whatever else wants a core

    def give_its_own(self, pid: int) -> None:
        """To every thread that it has by now; those that come later follow the one that makes them."""
        for task in Path(f"/proc/{pid}/task").iterdir():
            if self.own:
                os.sched_setaffinity(int(task.name), self.own)
            self.let_in(int(task.name), _WORKS if int(task.name) == pid else _ANSWERS)

    def let_in(self, task: int, priority: int = _ANSWERS) -> None:
        if self.first:
            os.sched_setscheduler(task, os.SCHED_FIFO, os.sched_param(priority))


@contextmanager
def cores(*, apart: bool, first: bool = False) -> Iterator[Cores]:
    """This process and what it starts keep to the other cores meanwhile."""
    if not apart:
        yield Cores(frozenset(), first)
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        raise SystemExit("--apart takes two cores at least: leave it out")
    own = min(allowed)
    os.sched_setaffinity(0, allowed - {own})
    try:
        yield Cores(frozenset({own}), first)
    finally:
        os.sched_setaffinity(0, allowed)
