# ruff: noqa: INP001 - it runs inside the image
"""Drop what no job uses of the packages for private sources: botocore describes four hundred services of a cloud."""

import shutil
import sys
from pathlib import Path

# The services that ways to credentials lead through.
USED = frozenset({"signin", "sso", "sso-oidc", "sts"})


def main(packages: Path) -> None:
    services = [path for path in (packages / "botocore" / "data").iterdir() if path.is_dir()]
    if not {path.name for path in services} >= USED:
        sys.exit(f"botocore lacks one of {', '.join(sorted(USED))}: look how this version names its services")
    for path in services:
        if path.name not in USED:
            shutil.rmtree(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
