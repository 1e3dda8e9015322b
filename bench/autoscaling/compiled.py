"""The same simulator as machine code: mypyc, which comes with mypy, compiles a copy of the innermost modules.

A copy of the packages is made under bench/scratch for each state of the sources, and the measurement starts again with
it. The arithmetic is that of the sources, operation by operation: the rows are equal by seed, which
`python -m bench.autoscaling.same` checks. Without a C compiler the sources run as they are.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRATCH = ROOT / "bench" / "scratch" / "compiled"
FROM = "STOKER_BENCH_COMPILED"
PACKAGES = ("operator/stoker", "runtime-image/stoker_runtime")
COMPILED = (
    "stoker/core/scaling/[!_]*.py",
    *(f"stoker/sim/{name}.py" for name in ("agenda", "pod", "request", "router", "server", "signals", "traffic")),
    "stoker_runtime/simulated/timing.py",
)
PLAIN = ("memory.py",)  # its values are read back by their annotations
_BUILD = """
import sys
from mypyc.build import mypycify
from setuptools import setup
options = ["--config-file=", "--ignore-missing-imports", "--follow-imports=silent"]
setup(name="compiled", ext_modules=mypycify([*options, *sys.argv[1:]], opt_level="2"),
      script_args=["--quiet", "build_ext", "--inplace"])
"""


def start_again_compiled(module: str, arguments: Sequence[str]) -> None:
    """Returns where it cannot be compiled, or is already."""
    if FROM in os.environ:
        return
    folder = built()
    if folder is None:
        return
    environment = os.environ | {"PYTHONPATH": str(folder), FROM: str(folder)}
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], environment)  # noqa: S606 - itself


def built() -> Path | None:
    """The folder with the compiled copy; None, and a line that says why, where there is none."""
    folder = SCRATCH / f".{_state()}"  # hidden, or a type checker takes the copy for sources, or for a package in ours
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(SCRATCH, ignore_errors=True)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / Path(package).name, ignore=shutil.ignore_patterns("__pycache__"))
    modules = [path for pattern in COMPILED for path in sorted(folder.glob(pattern)) if path.name not in PLAIN]
    command = [sys.executable, "-c", _BUILD, *(str(path.relative_to(folder)) for path in modules)]
    print(f"compiling {len(modules)} modules, once for this state of the sources", flush=True)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        print(f"not compiled, so two to five times slower: {reason}", flush=True)
        return None
    (folder / "complete").touch()
    return folder


def _state() -> str:
    """Of all sources that take part, and of the interpreter."""
    digest = hashlib.sha256(sys.version.encode())
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
