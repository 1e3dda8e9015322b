"""Install a lock of Python packages into a folder, for the Python and the C library of the images."""

import platform
import subprocess
import sys
from pathlib import Path

from e2e.cluster.refusal import Refusal

PLATFORM = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36")


def install(lock: Path, target: Path, *sources: str) -> None:
    """Exactly what the lock names; `sources` are options of uv that say where else packages may lie."""
    if platform.machine() != "x86_64":
        raise Refusal(f"{lock.name} is locked for x86_64 and this machine is {platform.machine()}: use one of those")
    # Links into uv's cache would let a change here reach other environments.
    placed = ["--quiet", "--link-mode", "copy", "--target", str(target), *PLATFORM]
    pinned = ["--no-build", "--no-deps", "--require-hashes", "-r", str(lock)]
    command = [sys.executable, "-m", "uv", "pip", "install", *placed, *pinned, *sources]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()] or ["nothing said"]
        raise Refusal(f"uv cannot install what {lock} names: {'; '.join(lines[:3])}")


def fill_context(context: Path, folder: Path) -> None:
    """For images that only add packages to those of the image below."""
    install(folder / "packages.lock", context / "packages")
