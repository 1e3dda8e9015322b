"""The memory that a fetch Job may use, the pages that it writes included: a run of the bench may use no more.

Without it a run also measures from whom the machine takes its pages. Where free ones were handed back to a host, as
in virtual machines that tell theirs which are free, each has to be given anew, and who writes in large pieces asks for
such pages first."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stoker.api.configuration import Fetching

_ROOT = Path("/sys/fs/cgroup")


def job_memory_bytes() -> int:
    return Fetching().limits["memory"].whole_units


@contextmanager
def limited(memory_bytes: int) -> Iterator[Path]:
    """The file of a group of processes that may have this much. A process that writes 0 to it belongs to the group."""
    second = (_ROOT / "cgroup.controllers").exists()
    group = (_ROOT if second else _ROOT / "memory") / f"stoker-bench-{os.getpid()}"
    try:
        if second:
            (_ROOT / "cgroup.subtree_control").write_text("+memory")
        group.mkdir()
        (group / ("memory.max" if second else "memory.limit_in_bytes")).write_text(str(memory_bytes))
    except OSError as error:
        raise SystemExit(
            f"bench.fetch: no memory limit can be set here ({error}): run it as root, or without one, --unlimited"
        ) from None
    try:
        yield group / "cgroup.procs"
    finally:
        group.rmdir()
