"""What an engine compiled is kept beside the weights, so that the next pod of the same model compiles nothing.

KEPT/KEY.GPU     whole: it came by a rename, and nobody writes it again
KEPT/.new.NAME   on its way there

An engine works in a folder of its pod's own. What is kept is copied there before it starts, and what it made is copied
from there once it is ready. So no engine reads what another one writes, whatever the file system makes of two writers.
KEPT belongs to one model; KEY stands for its weights, image, devices and flags; the GPU is the one that is found."""

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MOST_BYTES = 1 << 30
_KEYS_KEPT = 2  # the newest, so that a way back compiles nothing either
_ABANDONED_SECONDS = 3600.0
_DEVICES = Path("/proc/driver/nvidia/gpus")
_NEW = ".new."


@dataclass(frozen=True)
class Compiled:
    """Of one pod. Both ways say in a sentence what they did; None: there was nothing to do."""

    own: Path
    kept: Path
    key: str
    devices: Path = _DEVICES

    @property
    def place(self) -> Path:
        return self.kept / f"{self.key}.{gpus_of(self.devices)}"

    def take(self) -> str | None:
        try:
            if not self.place.is_dir() or any(self.own.iterdir()):
                return None
            began, count = time.monotonic(), 0
            for path in self.place.iterdir():
                _copy(path, self.own / path.name)
                count += _size_bytes(self.own / path.name)
            os.utime(self.place)  # in use, so not the oldest
        except OSError as error:
            return f"what was compiled before cannot be taken from {self.place}, so it is compiled anew: {error}"
        return f"{count / 2**20:.1f} MiB that were compiled before are here, after {time.monotonic() - began:.1f} s"

    def keep(self) -> str | None:
        coming = self.kept / f"{_NEW}{secrets.token_hex(6)}"
        try:
            if self.place.exists() or not any(self.own.iterdir()):
                return None
            size_bytes = _size_bytes(self.own)
            if problem := self._too_large(size_bytes):
                return problem
            shutil.copytree(self.own, coming, symlinks=True)
            coming.rename(self.place)
            self._sweep()
        except OSError as error:
            shutil.rmtree(coming, ignore_errors=True)
            # Another pod of the same model may have been first.
            return None if self.place.exists() else f"what was compiled cannot be kept in {self.kept}: {error}"
        return f"{size_bytes / 2**20:.1f} MiB that were compiled are kept for the next pod"

    def _too_large(self, size_bytes: int) -> str | None:
        found = os.statvfs(self.kept)
        # As much again stays free, since the volume is there for weights.
        most = min(_MOST_BYTES, found.f_bavail * found.f_frsize // 2)
        if size_bytes <= most:
            return None
        return f"{size_bytes / 2**20:.0f} MiB that were compiled are not kept: at most {most / 2**20:.0f} MiB may be"

    def _sweep(self) -> None:
        """Older keys, and what a pod that was killed left behind."""
        others = [path for path in self.kept.iterdir() if path != self.place]
        whole = [path for path in others if not path.name.startswith(_NEW)]
        by_age = sorted(whole, key=lambda path: -path.stat().st_mtime)
        for path in by_age[_KEYS_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)
        for path in set(others) - set(whole):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def gpus_of(devices: Path) -> str:
    """The kind of GPU that this pod has, by the driver's word."""
    kinds = set()
    for information in sorted(devices.glob("*/information")):
        found = re.search(r"(?m)^Model:\s*(.+)$", information.read_text())
        kinds.add(re.sub(r"[^A-Za-z0-9]+", "-", found[1]).strip("-") if found else "unknown")
    return "+".join(sorted(kinds)) or "any"


def _copy(source: Path, target: Path) -> None:
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in _files(folder))


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        yield from (child for child in path.rglob("*") if not child.is_dir() or child.is_symlink())
    else:
        yield path
