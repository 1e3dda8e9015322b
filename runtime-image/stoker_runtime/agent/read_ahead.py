"""Weights are read into the page cache while the engine still imports, so that it finds them in memory."""

import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from stoker_runtime.fetch.manifest import read_manifest

_WEIGHTS = (".safetensors", ".gguf")
_BLOCK_BYTES = 16 << 20
_BUFFER_BYTES = 1 << 20
_THREADS = 4  # one alone does not fill a volume of the network
# What the container may have at most: cgroup v2, then v1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MEMORY = Path("/proc/meminfo")


def room_bytes(limits: Iterable[Path] = _LIMITS, memory: Path = _MEMORY) -> int:
    """Half of what the container may still have: reading more would push out what was read first. 0: nobody knows."""
    known = []
    with suppress(OSError, ValueError, IndexError):
        known.append(int(memory.read_text().split("MemAvailable:")[1].split()[0]) * 1024)
    for limit in limits if known else ():
        with suppress(OSError, ValueError):  # "max" is no limit
            known.append(int(limit.read_text()))
    return min(known, default=0) // 2


def read_ahead(folder: Path, stop: threading.Event, most_bytes: int) -> int:
    """How many bytes were read, in the order in which engines load, until there is no more or `stop` is set."""
    manifest = read_manifest(folder)
    files = manifest.files if manifest else ()
    sizes = {folder / file.path: file.size_bytes for file in files if file.path.endswith(_WEIGHTS)}
    blocks = _Blocks(sizes, most_bytes)
    threads = [threading.Thread(target=_read, args=(blocks, stop), daemon=True) for _ in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return blocks.read_bytes


def tell_what_was_read_ahead(folder: Path, stop: threading.Event) -> None:
    began = time.monotonic()
    count = read_ahead(folder, stop, room_bytes())
    taken = time.monotonic() - began
    print(f"agent: {count / 2**20:.0f} MiB of weights read ahead in {taken:.1f} s", flush=True)


class _Blocks:
    """Given out one by one, to several threads."""

    def __init__(self, sizes: dict[Path, int], most_bytes: int) -> None:
        self._blocks = _in_order(sizes, most_bytes)
        self._lock = threading.Lock()
        self.read_bytes = 0

    def next(self) -> tuple[Path, int, int] | None:
        with self._lock:
            return next(self._blocks, None)

    def was_read(self, count: int) -> None:
        with self._lock:
            self.read_bytes += count


def _in_order(sizes: dict[Path, int], most_bytes: int) -> Iterator[tuple[Path, int, int]]:
    left_bytes = most_bytes
    for path in sorted(sizes):
        for first in range(0, sizes[path], _BLOCK_BYTES):
            end = min(first + _BLOCK_BYTES, sizes[path], first + left_bytes)
            if end <= first:
                return
            left_bytes -= end - first
            yield path, first, end


def _read(blocks: _Blocks, stop: threading.Event) -> None:
    buffer: Sequence[memoryview] = [memoryview(bytearray(_BUFFER_BYTES))]
    while not stop.is_set() and (block := blocks.next()):
        path, at, end = block
        # An engine that finds them unreadable says so better.
        with suppress(OSError), path.open("rb", buffering=0) as file:
            while at < end and not stop.is_set() and (count := os.preadv(file.fileno(), buffer, at)):
                at += count
                blocks.was_read(count)
