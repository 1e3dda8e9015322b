"""The simulated engine: this repository's own code, which needs nothing but Python."""

import shutil
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "runtime-image" / "stoker_runtime"


def fill_context(context: Path, folder: Path) -> None:  # noqa: ARG001 - all images are filled alike
    # Byte code of this machine's Python has no place in the image, whose key does not see it.
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, context / "site" / PACKAGE.name, ignore=unwanted)
