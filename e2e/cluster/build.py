"""Build what is missing into the cache; what is there is used as it is."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from e2e.cluster.binaries import KUBE, KWOK, Binary
from e2e.cluster.cache import cache_folder, file_lock, require_free_disk
from e2e.cluster.refusal import Refusal
from e2e.cluster.toolchain import Go, find_go

PROGRESS_SECONDS = 15
KWOK_STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast")
BUILD_DISK_GIB = 8


def built(binaries: Iterable[Binary]) -> dict[str, Path]:
    """The folder of each binary by its name, after building those that are missing."""
    go = find_go()
    bin_folder = cache_folder() / "bin"
    folders = {binary.name: (binary, bin_folder / binary.key(go)) for binary in binaries}
    if any(not folder.exists() for _, folder in folders.values()):
        with file_lock(bin_folder / ".lock", "another start is building: waiting for it"):
            for binary, folder in folders.values():
                if not folder.exists():
                    require_free_disk(bin_folder, BUILD_DISK_GIB, f"building {binary.name}")
                    _build(binary, folder, go)
    return {name: folder for name, (_, folder) in folders.items()}


def _build(binary: Binary, folder: Path, go: Go) -> None:
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as scratch:
        target = Path(scratch, "result")
        target.mkdir(mode=0o755)
        output = target / binary.name
        _compile(binary, output, go)
        for alias in binary.aliases:
            (target / alias).symlink_to(binary.name)
        if binary is KWOK:
            _copy_kwok_stages(target / "stages.yaml", go)
        target.rename(folder)


def build_environment() -> dict[str, str]:
    # GOFLAGS, GOWORK and the like of the caller would change what is built under the same key.
    return os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}


def _compile(binary: Binary, output: Path, go: Go) -> None:
    started = time.monotonic()
    note = " (about 10 minutes on two cores the first time)" if binary is KUBE else ""
    print(f"building {binary.name} with Go {go.version}{note}", flush=True)
    log = output.parent.parent / "log"
    command = [str(go.executable), "build", "-v", "-trimpath", "-ldflags", binary.linker_flags(), "-o", str(output)]
    with log.open("w+") as lines:
        process = subprocess.Popen(
            [*command, binary.package], cwd=binary.folder, env=build_environment(), stdout=lines, stderr=lines
        )
        try:
            code = _wait_telling(process, binary.name, log, started)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if code != 0:
            raise Refusal(f"building {binary.name} failed: {_last_words(lines)}")
    print(f"built {binary.name} in {time.monotonic() - started:.0f} s", flush=True)


def _wait_telling(process: subprocess.Popen[bytes], name: str, log: Path, started: float) -> int:
    while True:
        try:
            return process.wait(PROGRESS_SECONDS)
        except subprocess.TimeoutExpired:
            packages = log.read_text().count("\n")
            print(f"  {name}: {packages} packages compiled, {time.monotonic() - started:.0f} s", flush=True)


def _last_words(log: TextIO) -> str:
    log.seek(0)
    lines = [line.strip() for line in log if " " in line.strip()]
    return "; ".join(lines[-3:]) or "the compiler said nothing"


def _copy_kwok_stages(target: Path, go: Go) -> None:
    """Behaviour of fake nodes and pods, as released with kwok."""
    module = KWOK.stamped_with
    answer = subprocess.run(
        [go.executable, "list", "-m", "-f", "{{.Dir}}", module],
        cwd=KWOK.folder, env=build_environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    stages = Path(answer.stdout.strip(), "kustomize", "stage")
    files = [path for name in KWOK_STAGES for path in sorted((stages / name).glob("*.yaml"))]
    documents = [path.read_text() for path in files if path.name != "kustomization.yaml"]
    target.write_text("---\n".join(documents))
