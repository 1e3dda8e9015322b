"""Which cores what is measured may use, and which are left to all the others."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """`own` is empty where nobody has a core to itself."""

    own: frozenset[int]

    def give_its_own(self, pid: int) -> None:
        """To every thread that it has by now; those that come later follow the one that makes them."""
        for task in Path(f"/proc/{pid}/task").iterdir() if self.own else ():
            os.sched_setaffinity(int(task.name), self.own)


@contextmanager
def cores(*, apart: bool) -> Iterator[Cores]:
    """This process and what it starts keep to the other cores meanwhile."""
    if not apart:
        yield Cores(frozenset())
        return
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        raise SystemExit("--apart takes two cores at least: leave it out")
    own = min(allowed)
    os.sched_setaffinity(0, allowed - {own})
    try:
        yield Cores(frozenset({own}))
    finally:
        os.sched_setaffinity(0, allowed)
