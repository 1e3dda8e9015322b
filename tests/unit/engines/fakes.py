"""Programs that stand for the engines' own, to see what a start script makes of a folder."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stoker.core.engine import Server


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def started(server: Server, programs: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    path = f"{programs}:{os.environ['PATH']}"
    command = [*server.command, *server.args]
    return subprocess.run(
        command,
        env={"PATH": path, **server.env, **(env or {})},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
