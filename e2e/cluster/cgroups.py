"""The cluster's own cgroups: what runs in them is the cluster's, whoever forked it."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from e2e.cluster.refusal import Refusal

COMPONENTS = "components"
KILL_SECONDS = 20


def hierarchies() -> list[Path]:
    """Mount points of cgroup v2, or of each v1 controller."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    found = [Path(mount[1]) for mount in mounts if mount[2] in {"cgroup", "cgroup2"}]
    if not found:
        raise Refusal("no cgroup file system is mounted: mount cgroup2 on /sys/fs/cgroup")
    return sorted(set(found))


def create(group: str) -> None:
    for root in hierarchies():
        for folder in (root / group, root / group / COMPONENTS):
            try:
                folder.mkdir(exist_ok=True)
            except OSError as error:
                raise Refusal(
                    f"cannot make the cgroup {folder} ({error.strerror}): cgroups must be writable"
                ) from error
            _inherit_cpus(folder)
        if (root / "cgroup.controllers").exists():
            _delegate(root, root / group)


def _inherit_cpus(folder: Path) -> None:
    """A v1 cpuset starts empty, and an empty one takes no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (folder / name).exists() and not (folder / "cgroup.controllers").exists():
            (folder / name).write_text((folder.parent / name).read_text())


def _delegate(root: Path, group: Path) -> None:
    wanted = " ".join(f"+{name}" for name in (root / "cgroup.controllers").read_text().split())
    for folder in (root, group):
        if wanted:
            (folder / "cgroup.subtree_control").write_text(wanted)


def adopt(group: str, pid: int) -> None:
    for root in hierarchies():
        # One that ended already is found out later, together with its last words.
        with suppress(ProcessLookupError):
            (root / group / COMPONENTS / "cgroup.procs").write_text(str(pid))


def members(group: str) -> set[int]:
    pids: set[int] = set()
    for root in hierarchies():
        for path in (root / group).rglob("cgroup.procs"):
            # Groups vanish while their last process ends.
            with suppress(OSError):
                pids.update(map(int, path.read_text().split()))
    return pids


def kill_members(group: str) -> int:
    """Kill until nothing is left, since what is killed may fork while we look. Returns how many died."""
    killed: set[int] = set()
    deadline = time.monotonic() + KILL_SECONDS
    while pids := members(group):
        if time.monotonic() > deadline:
            raise Refusal(f"processes {sorted(pids)} of cgroup {group} do not die: see their state in /proc/PID/stack")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= pids
        time.sleep(0.02)
    return len(killed)


def remove(group: str) -> None:
    for root in hierarchies():
        top = root / group
        nested = [path.parent for path in top.rglob("cgroup.procs")] if top.exists() else []
        for folder in sorted(nested, key=lambda path: len(path.parts), reverse=True):
            _rmdir(folder)


def _rmdir(folder: Path) -> None:
    """The kernel holds a group for a moment after its last process."""
    deadline = time.monotonic() + KILL_SECONDS
    while True:
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            if time.monotonic() > deadline:
                raise Refusal(f"cannot remove the cgroup {folder}: {error.strerror}") from error
            time.sleep(0.05)
        else:
            return


def exists(group: str) -> bool:
    return any((root / group).exists() for root in hierarchies())
