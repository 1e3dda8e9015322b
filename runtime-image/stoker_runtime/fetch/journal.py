"""Which bytes of a partial folder are there: lines that are only ever added, read again after a crash.

A finished part is written down at once. That is enough for a killed process: the node still holds the bytes. After a
crash of the node only parts count that were on the disk before the last `synced` line; so each line names the boot it
was written in."""

import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stoker_runtime.fetch.parts import Span

NAME = ".stoker-journal"
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class Recorded:
    """What the journal knows of one file."""

    size_bytes: int | None
    digest: str | None
    validator: str | None = None
    done: list[Span] = field(default_factory=list)
    synced: list[Span] = field(default_factory=list)  # those of them that a crash of the node leaves


class Journal:
    """The journal of one partial folder. Safe for threads."""

    def __init__(self, folder: Path, boot: str | None = None) -> None:
        self._boot = boot_of_this_node() if boot is None else boot
        self._lock = threading.Lock()
        path = folder / NAME
        self.recorded = recorded(path, self._boot)
        fresh = path.with_name(f"{NAME}.new")
        fresh.write_text("".join(f"{line}\n" for line in self._compacted()))
        fresh.replace(path)
        self._lines = len(path.read_text().splitlines())
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND)

    def started(self, path: str, size_bytes: int | None, digest: str | None) -> None:
        self._add({"file": path, "size": size_bytes, "digest": digest})

    def validated(self, path: str, validator: str) -> None:
        self._add({"file": path, "validator": validator})

    def linked(self, path: str, size_bytes: int, digest: str | None) -> None:
        """A whole file that another published folder holds too."""
        self.recorded[path] = Recorded(size_bytes, digest, done=[(0, size_bytes)])
        self.started(path, size_bytes, digest)
        self.done(path, (0, size_bytes))

    def done(self, path: str, span: Span) -> None:
        self._add({"file": path, "done": span, "boot": self._boot})

    def line_count(self) -> int:
        with self._lock:
            return self._lines

    def synced(self, line_count: int) -> None:
        """The bytes that the first `line_count` lines tell of are on the disk."""
        self._add({"synced": line_count})
        os.fsync(self._handle)

    def close(self) -> None:
        os.close(self._handle)

    def _add(self, line: dict[str, Any]) -> None:
        with self._lock:
            os.write(self._handle, (json.dumps(line) + "\n").encode())
            self._lines += 1

    def _compacted(self) -> list[str]:
        """What is synced comes first, so that one line can say so."""
        lines: list[dict[str, Any]] = []
        later: list[dict[str, Any]] = []
        for path, known in self.recorded.items():
            lines.append({"file": path, "size": known.size_bytes, "digest": known.digest})
            if known.validator:
                lines.append({"file": path, "validator": known.validator})
            for span in known.done:
                part = {"file": path, "done": span, "boot": self._boot}
                (lines if span in known.synced else later).append(part)
        return [json.dumps(line) for line in [*lines, {"synced": len(lines)}, *later]]


def recorded(path: Path, boot: str) -> dict[str, Recorded]:
    """What counts of a journal. It may be absent, and its last line may be torn."""
    try:
        lines = [_line(text) for text in path.read_text(errors="replace").splitlines()]
    except FileNotFoundError:
        return {}
    synced = max((line.get("synced", 0) for line in lines), default=0)
    files: dict[str, Recorded] = {}
    for number, line in enumerate(lines):
        name = line.get("file")
        if name is None:
            continue
        if "size" in line:
            files[name] = Recorded(line["size"], line["digest"])
        elif "validator" in line and name in files:
            files[name].validator = line["validator"]
        elif "done" in line and name in files and (number < synced or line["boot"] == boot != ""):
            span = (line["done"][0], line["done"][1])
            files[name].done.append(span)
            if number < synced:
                files[name].synced.append(span)
    return files


def boot_of_this_node() -> str:
    """Empty where it cannot be told: then only what was synced counts."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def _line(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
