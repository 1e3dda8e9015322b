"""Where things lie on a volume of weights.

ROOT/FOLDER                          published: whole, verified, never written again
ROOT/.stoker/partial/FOLDER.HOLDER   what HOLDER, who has the lock, is fetching
ROOT/.stoker/locks/FOLDER            who fetches it
ROOT/.stoker/refs/FOLDER/OWNER       who uses it
ROOT/.stoker/compiled/OWNER/         what OWNER's engine compiled: its replicas write there, and only there
ROOT/.stoker/trash/                  on its way out"""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stoker_runtime.failure import Reason, WeightsError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+=-]{0,199}")


@dataclass(frozen=True)
class Volume:
    """One mounted volume."""

    root: Path

    @property
    def partials(self) -> Path:
        return self.root / ".stoker" / "partial"

    @property
    def locks(self) -> Path:
        return self.root / ".stoker" / "locks"

    @property
    def references(self) -> Path:
        return self.root / ".stoker" / "refs"

    @property
    def trash(self) -> Path:
        return self.root / ".stoker" / "trash"

    def compiled(self, owner: str) -> Path:
        return self.root / ".stoker" / "compiled" / checked_name("owner", owner)

    def published(self, folder: str) -> Path:
        return self.root / checked_name("folder", folder)

    def partial(self, folder: str, holder: str) -> Path:
        return self.partials / f"{checked_name('folder', folder)}.{holder}"

    def partials_of(self, folder: str) -> list[Path]:
        """Names end with a holder, which has no dot."""
        return [path for path in sorted(self.partials.iterdir()) if path.name.rpartition(".")[0] == folder]

    def prepare(self) -> None:
        """Makes Stoker's own folders. Raises WeightsError where the volume cannot be written."""
        with writing(self.root):
            for folder in (self.partials, self.locks, self.references, self.trash):
                folder.mkdir(parents=True, exist_ok=True)

    def discard(self, path: Path) -> None:
        """Away in one step, then deleted; what a killed run left in the trash goes with it."""
        try:
            path.rename(self.trash / f"{path.name[:100]}.{uuid.uuid4().hex}")
        except FileNotFoundError:
            return
        self.empty_trash()

    def empty_trash(self) -> None:
        for left in self.trash.iterdir():
            if left.is_dir() and not left.is_symlink():
                # Two jobs may empty it at once.
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


def checked_name(field: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise WeightsError(
            Reason.UNSAFE_SOURCE,
            f"{field} is {name[:220]!r}: it must be one name of letters, digits and _.@+=- that starts with no dot",
        )
    return name


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turns what a volume says against writing into a reason."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise disk_full(where, str(error.strerror)) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise WeightsError(
                Reason.VOLUME_NOT_WRITABLE,
                f"{error.filename or where} cannot be written ({error.strerror}): mount the claim writable for the "
                f"download, and let group or user {os.getuid()}:{os.getgid()} write it (fsGroup)",
            ) from error
        raise


def disk_full(where: Path, found: str) -> WeightsError:
    free, size = free_bytes(where), size_bytes(where)
    return WeightsError(
        Reason.DISK_FULL,
        f"{where}: {found}; {_gib(free)} of {_gib(size)} are free. Enlarge the claim, or delete what is on it. "
        "What was fetched stays, and the next run goes on from there",
    )


def refuse_if_too_small(where: Path, missing_bytes: int) -> None:
    """Before the first byte, so that a volume that is too small is told at once."""
    if missing_bytes > free_bytes(where):
        raise disk_full(where, f"{_gib(missing_bytes)} more are needed")


def free_bytes(where: Path) -> int:
    found = os.statvfs(where)
    return found.f_bavail * found.f_frsize


def size_bytes(where: Path) -> int:
    found = os.statvfs(where)
    return found.f_blocks * found.f_frsize


def sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network volumes have nothing to do here, and say so.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def _gib(count: int) -> str:
    return f"{count / 2**30:.2f} GiB" if count >= 2**26 else f"{count / 2**20:.2f} MiB"
