"""How often the kernel has killed a process of this container for lack of memory."""

from collections.abc import Sequence
from pathlib import Path

# cgroup v2, then v1.
COUNTERS = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


def memory_kills(counters: Sequence[Path]) -> int | None:
    """None: nothing here tells."""
    for path in counters:
        try:
            fields = dict(line.split(" ", 1) for line in path.read_text().splitlines())
            return int(fields["oom_kill"])
        except (OSError, ValueError, KeyError):
            continue
    return None


def kills_since(before: int | None, now: int | None) -> int | None:
    """Unknown at either end is unknown."""
    return None if before is None or now is None else max(0, now - before)
