"""Take an image's files out of the machine's page cache, as on a node that is new to it, or bring them in."""

import os
from collections.abc import Iterable
from pathlib import Path

BLOCK_BYTES = 1 << 20
LOADED = (".pyc", ".so")


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def loaded_at_a_start(files: Iterable[Path]) -> list[Path]:
    """What Python maps or reads when it imports, the largest last: many small reads are what a disk is slow at."""
    chosen = [path for path in files if path.suffix in LOADED or ".so." in path.name]
    return sorted(chosen, key=lambda path: path.stat().st_size)


def evict(files: Iterable[Path]) -> None:
    """Only these files; what others on this machine have cached stays."""
    os.sync()  # what is not written yet cannot be dropped
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def read(files: Iterable[Path]) -> None:
    for path in files:
        with path.open("rb", buffering=0) as content:
            while content.read(BLOCK_BYTES):
                pass
