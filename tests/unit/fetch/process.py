"""`python -m tests.unit.fetch.process ADDRESS LISTING ...`: the command as a process, with a source on loopback.

STOKER_DIE_AT names a step at which the process kills itself, as a crash would; STOKER_STALE_SECONDS is for how long a
lock may stand still, where a busy machine must not make a holder lose it."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stoker_runtime.fetch import command
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.task import Task
from stoker_runtime.fetch.web import HttpWeb
from tests.unit.fetch.runs import LIMITS, Place


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(step: str) -> None:
    """Steps are those that change what the next run finds."""
    rename, unlink, replace, link = Path.rename, Path.unlink, Path.replace, os.link
    root = Path(sys.argv[sys.argv.index("--root") + 1])

    def around(original: Any, when: str, matches: Any) -> Any:
        def instead(path: Any, *rest: Any, **named: Any) -> Any:
            hit = matches(Path(path), *rest)
            if hit and step == f"before {when}":
                die()
            found = original(path, *rest, **named)
            if hit and step == f"after {when}":
                die()
            return found

        return instead

    def is_publishing(_: Path, target: Path) -> bool:
        return Path(target).parent == root

    Path.rename = around(rename, "publishing", is_publishing)  # type: ignore[method-assign]
    Path.replace = around(replace, "manifest", lambda _, target: target.name == "manifest.json")  # type: ignore[method-assign]
    Path.unlink = around(  # type: ignore[method-assign]
        unlink, "journal", lambda path, *_: path.name == ".stoker-journal" and path.parent.parent == root
    )
    os.link = around(link, "lock", lambda _, target: Path(target).parent.name == "locks")


def main() -> int:
    address, listing, *arguments = sys.argv[1:]
    files = [RemoteFile(**file) for file in json.loads(listing)]
    if step := os.environ.get("STOKER_DIE_AT"):
        die_at(step)

    def opening(_: Task, __: HttpWeb, ___: Mapping[str, str]) -> command.Opened:
        return command.Opened(Place(address, files), lambda found: found)

    stale_seconds = float(os.environ.get("STOKER_STALE_SECONDS", LIMITS.lock.stale_seconds))
    limits = replace(LIMITS, lock=replace(LIMITS.lock, stale_seconds=stale_seconds))
    return command.main(arguments, opening, limits)


if __name__ == "__main__":
    raise SystemExit(main())
