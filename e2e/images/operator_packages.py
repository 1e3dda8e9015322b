"""What the operator's image holds: this repository's own wheel beside the packages of requirements.lock."""

import shutil
import subprocess
import sys
from pathlib import Path

from e2e.cluster.refusal import Refusal
from e2e.images.locked_packages import install

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"


def fill_context(context: Path, folder: Path) -> None:  # noqa: ARG001 - all images are filled alike
    packages = context / "packages"
    install(LOCK, packages)
    placed = ["--quiet", "--link-mode", "copy", "--target", str(packages), "--no-deps"]
    command = [sys.executable, "-m", "uv", "pip", "install", *placed, str(ROOT)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()] or ["nothing said"]
        raise Refusal(f"uv cannot install {ROOT} itself: {'; '.join(lines[:3])}")
    # It is among the packages, with its version.
    shutil.rmtree(context / "stoker")
