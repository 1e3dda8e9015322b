"""A process with mounts and a network of its own, which knows where the archive of an image is."""

import os
import subprocess
import sys
from pathlib import Path

from e2e.images.build import build as build_image

_ARCHIVE = "STOKER_BENCH_ARCHIVE"


def archive_inside(module: str, image: str) -> Path:
    """Runs the module once more in there, with the same arguments, and ends this process as that one ends."""
    if os.geteuid() != 0:
        raise SystemExit(f"{module} mounts an image: run it with sudo")
    if _ARCHIVE not in os.environ:
        # Built out here, where registries can be reached.
        archive = build_image(image).path
        enter = ["unshare", "--mount", "--net", "--propagation", "private", "env", f"{_ARCHIVE}={archive}"]
        raise SystemExit(subprocess.call([*enter, sys.executable, "-m", module, *sys.argv[1:]]))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return Path(os.environ[_ARCHIVE])
