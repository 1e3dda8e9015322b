"""The programs that a task needs, and the Debian packages that bring them."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from e2e.cluster.refusal import Refusal

POLICY = Path("/usr/sbin/policy-rc.d")
SEARCH_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing_packages(package_of: Mapping[str, str]) -> list[str]:
    """From program → package, the packages of the programs that are not there."""
    return sorted({package for tool, package in package_of.items() if shutil.which(tool, path=SEARCH_PATH) is None})


def require_packages(package_of: Mapping[str, str], install: bool) -> None:
    missing = missing_packages(package_of)
    if not missing:
        return
    listed = " ".join(missing)
    if not install:
        raise Refusal(f"missing packages: install them with `apt-get install {listed}`, or add --install")
    if shutil.which("apt-get") is None:
        raise Refusal(f"--install needs apt-get, which is not here: install {listed} by other means")
    print(f"installing {listed}", flush=True)
    _apt_install(missing)
    if still := missing_packages(package_of):
        raise Refusal(f"apt-get installed them, and still missing: {' '.join(still)}")


def _apt_install(packages: list[str]) -> None:
    # Debian starts the services it installs; the cluster runs its own containerd and Prometheus.
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        # A fresh machine has no list of packages yet, or an old one.
        answer = _apt_get("update")
        if answer.returncode == 0:
            answer = _apt_get("install", "--yes", "--no-install-recommends", *packages)
    finally:
        if ours:
            POLICY.unlink()
    if answer.returncode != 0:
        words = answer.stderr.strip().splitlines() or ["nothing said"]
        raise Refusal(f"apt-get install {' '.join(packages)} failed: {words[-1]}")


def _apt_get(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(["apt-get", *arguments], capture_output=True, text=True, check=False, env=environment)
