"""What the jobs of the runtime image need to reach private sources of weights, put where its Containerfile looks."""

import shutil
from pathlib import Path

from e2e.images.locked_packages import install


def fill_context(context: Path, folder: Path) -> None:
    packages = context / "packages"
    install(folder / "packages.lock", packages)
    shutil.rmtree(packages / "bin", ignore_errors=True)
