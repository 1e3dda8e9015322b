"""The memory that a fetch Job may use, the pages that it writes included: a run of the bench may use no more.

Without it a run also measures from whom the machine takes its pages. Where free ones were handed back to a host, as
in virtual machines that tell theirs which are free, each has to be given anew, and who writes in large pieces asks for
such pages first."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.cluster import cgroups
from e2e.cluster.refusal import Refusal
from stoker.api.configuration import Fetching


def job_memory_bytes() -> int:
    return Fetching().limits["memory"].whole_units


@contextmanager
def limited(memory_bytes: int) -> Iterator[str]:
    """The name of a group of processes that may have this much."""
    group = f"stoker-bench-{os.getpid()}"
    try:
        cgroups.create(group)
        _limit_memory(group, memory_bytes)
    except (OSError, Refusal) as error:
        cgroups.remove(group)
        raise SystemExit(
            f"bench.fetch: no memory limit can be set here ({error}): run it as root, or without one, --unlimited"
        ) from None
    try:
        yield group
    finally:
        cgroups.remove(group)


def _limit_memory(group: str, memory_bytes: int) -> None:
    for root in cgroups.hierarchies():
        for name in ("memory.max", "memory.limit_in_bytes"):
            if (limit := root / group / name).exists():
                limit.write_text(str(memory_bytes))
                return
    raise Refusal("this kernel's cgroups have no memory controller")
