"""llama.cpp's sources, its server's and what they include: the Python package of its bindings carries all of them."""

import subprocess
import sys
import tarfile
from pathlib import Path

from e2e.cluster.refusal import Refusal

LOCK = Path(__file__).parent / "llamacpp" / "llama-cpp-python.lock"
UNUSED = tuple(f"/vendor/llama.cpp/{name}/" for name in ("benches", "docs", "media", "models", "tests"))


def unpack_llama_sources(folder: Path) -> Path:
    """Fetch the locked package into the folder, unpack it there and return llama.cpp's own folder."""
    # pip fetches sources as they are; uv only installs what it has built.
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "llama-cpp-python"]
    command = [sys.executable, "-m", "pip", "download", *options, "--require-hashes", "-r", str(LOCK)]
    answer = subprocess.run([*command, "--dest", str(folder)], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        words = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Refusal(f"pip cannot fetch the sources of llama.cpp that {LOCK} names: {words}")
    (archive,) = folder.glob("llama_cpp_python-*.tar.gz")
    with tarfile.open(archive) as package:
        wanted = [member for member in package if not any(part in member.name for part in UNUSED)]
        package.extractall(folder, wanted, filter="data")
    return folder / archive.name.removesuffix(".tar.gz") / "vendor" / "llama.cpp"
