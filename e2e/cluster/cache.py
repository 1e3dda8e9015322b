"""Where things live that are kept between runs, outside the repository."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.cluster.refusal import Refusal

GIB = 1024**3


def cache_folder() -> Path:
    folder = Path(os.environ.get("STOKER_CACHE") or Path.home() / ".cache" / "stoker")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"cannot use {folder} as the cache ({error.strerror}): set STOKER_CACHE to a folder") from error
    return folder


def require_free_disk(folder: Path, wanted_gib: int, purpose: str) -> None:
    free_gib = shutil.disk_usage(folder).free / GIB
    if free_gib < wanted_gib:
        raise Refusal(
            f"{purpose} needs {wanted_gib} GiB of disk and {folder} has {free_gib:.1f} GiB free: "
            "free some, or point STOKER_CACHE at a larger disk"
        )


@contextmanager
def file_lock(path: Path, waiting: str) -> Iterator[None]:
    """Hold the lock file; the kernel drops it with the process, so that a crash leaves nothing locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waiting, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
