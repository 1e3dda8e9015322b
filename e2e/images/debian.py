"""A small Debian with Python, made by debootstrap from the mirror that this machine uses."""

import os
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.debian_packages import SEARCH_PATH
from e2e.cluster.refusal import Refusal

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "libgomp1", "libnuma1", "libpython3.11-stdlib", "python3-minimal")
UNUSED = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/info", "var/cache/apt", "var/lib/apt/lists")


def mirror() -> str:
    """The first archive that apt on this machine takes Debian's main packages of the suite from."""
    fields = "$(SITE)|$(CODENAME)|$(COMPONENT)|$(CREATED_BY)|$(REPO_URI)"
    command = ["apt-get", "indextargets", "--format", fields, f"Codename: {SUITE}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in answer.stdout.splitlines():
        _, codename, component, created_by, uri = line.split("|", 4)
        if (codename, component, created_by) == (SUITE, "main", "Packages"):
            return uri.rstrip("/")
    raise Refusal(
        f"apt on this machine knows no mirror of Debian {SUITE}: add it to apt's sources, then `apt-get update`"
    )


def fill_context(context: Path, folder: Path) -> None:  # noqa: ARG001 - all images are filled alike
    root = context / "rootfs"
    packages = f"--include={','.join(PACKAGES)}"
    command = ["debootstrap", "--variant=minbase", packages, SUITE, str(root), mirror()]
    environment = os.environ | {"PATH": SEARCH_PATH}
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if answer.returncode != 0:
        words = (answer.stdout + answer.stderr).strip().splitlines() or ["nothing said"]
        raise Refusal(f"debootstrap cannot make a Debian {SUITE}: {words[-1]}")
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)
    # What apt knew of its mirror stays on the machine that knew it.
    (root / "etc/apt/sources.list").write_text("")
    (root / "usr/bin/python").symlink_to("python3")
