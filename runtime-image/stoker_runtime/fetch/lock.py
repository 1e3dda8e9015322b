"""One writer for a folder, on volumes that several nodes mount and where flock may reach one node only.

The lock is a file that appears whole or not at all (a link to a file written before). Its holder rewrites it every few
seconds, in place, through the handle it made it with. A waiter takes over when it saw no change for `stale_seconds` of
its own monotonic clock: no clock of another machine is ever compared. To take over is to rename the lock away and to
look at what was renamed: a lock that moved on in between is put back.

Why two writers never publish one folder, whatever the lock does (a holder may be frozen, and wake up much later; two
waiters may take over at once; a put back lock was missing for a moment):

1. What is fetched lies in partial/FOLDER.HOLDER. Whoever gets the lock first renames the partial folder to carry its
   own holder id. A rename has one winner, so at any moment at most one holder's name is on it.
2. Publishing is the rename partial/FOLDER.HOLDER -> FOLDER. For a holder that lost the folder the source is gone, and
   for one that comes second the target is there: both fail, and nothing is published twice.
3. An old holder may still have files open and write to them once more after that. Until it wakes up it has at most one
   buffer on its way, of the same bytes of the same file: for files without a digest both checked the same ETag, and a
   file that is begun anew, because its bytes or its ETag were wrong, is a new file that the old handle does not reach.
4. A holder notices a loss by itself: each heartbeat looks whether the lock at the path is still its own file, and one
   whose heartbeats fail for half of `stale_seconds` stops before anybody may take over."""

import errno
import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stoker_runtime.fetch.volume import Volume, checked_name, writing

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


class LostLock(Exception):  # noqa: N818 - it is the lock that is lost
    """Another job took over, or this one cannot tell that it did not."""


@dataclass(frozen=True)
class LockTimes:
    """The holder's and the waiter's."""

    beat_seconds: float = 5.0
    stale_seconds: float = 40.0


class Lock:
    """Held from `acquired` on, until released or lost."""

    def __init__(self, volume: Volume, folder: str, times: LockTimes) -> None:
        self._volume, self._folder = volume, checked_name("folder", folder)
        self._path = volume.locks / folder
        self._times = times
        self.holder = uuid.uuid4().hex
        self._handle: int | None = None
        self._beats = 0
        self._beaten_at = 0.0
        self._released = threading.Event()
        self._thread: threading.Thread | None = None
        self._lost: str | None = None

    def try_acquire(self) -> bool:
        """At once or not at all."""
        with writing(self._path):
            handle = self._made()
        if handle is None:
            return False
        self._handle, self._beaten_at = handle, time.monotonic()
        self._lost = None
        self._released.clear()
        self._thread = threading.Thread(target=self._keep_beating, daemon=True)
        self._thread.start()
        return True

    def _made(self) -> int | None:
        own = self._path.with_name(f"{self._path.name}.{self.holder}")
        handle = os.open(own, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.pwrite(handle, self._content(), 0)
            os.fsync(handle)
            os.link(own, self._path)
        except FileExistsError:
            os.close(handle)
            return None
        except OSError as error:
            os.close(handle)
            if error.errno not in _NO_LINKS:
                raise
            return self._made_without_links()
        finally:
            own.unlink(missing_ok=True)
        return handle

    def _made_without_links(self) -> int | None:
        """Then others may see it empty for a moment, which is a content like any other."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            return None
        os.pwrite(handle, self._content(), 0)
        os.fsync(handle)
        return handle

    def acquire(self, wait: Callable[[], bool]) -> bool:
        """`wait` passes some time, and is false when there is nothing to wait for any more."""
        watched = Watched(self._times.stale_seconds)
        while not self.try_acquire():
            seen = self._read()
            if seen is not None and watched.is_stale(seen, time.monotonic()):
                self._take_away(seen)
            elif not wait():
                return False
        return True

    def adopt(self) -> Path:
        """The partial folder under this holder's name: taken over from whoever had it, or new."""
        own = self._volume.partial(self._folder, self.holder)
        with writing(own):
            for found in self._volume.partials_of(self._folder):
                if own.exists():
                    # Left over when two holders met; the one in hand is as good.
                    self._volume.discard(found) if found != own else None
                    continue
                try:
                    found.rename(own)
                except FileNotFoundError:
                    continue
            own.mkdir(exist_ok=True)
        return own

    def check(self) -> None:
        """Raises LostLock when the folder is no longer this holder's."""
        if self._lost is None and time.monotonic() - self._beaten_at > self._times.stale_seconds / 2:
            self._lost = f"no heartbeat could be written for {self._times.stale_seconds / 2:.0f} s"
        if self._lost:
            raise LostLock(f"the lock of {self._folder} is lost: {self._lost}")

    def release(self) -> None:
        self._released.set()
        if self._thread:
            self._thread.join()
            self._thread = None
        if self._handle is None:
            return
        if self._is_own():
            self._path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = None

    def _keep_beating(self) -> None:
        while not self._released.wait(self._times.beat_seconds):
            try:
                self.beat()
            except OSError:
                continue  # the next one may succeed, or `check` gives up
            if self._lost:
                return

    def beat(self) -> None:
        assert self._handle is not None  # noqa: S101
        began = time.monotonic()
        if not self._is_own():
            self._lost = self._lost or "another job took it over"
            return
        self._beats += 1
        os.pwrite(self._handle, self._content(), 0)
        os.fsync(self._handle)
        # Only what was seen to be ours on both sides of the writing counts.
        if self._is_own():
            self._beaten_at = began

    def _is_own(self) -> bool:
        """By content: a network volume may show another inode number to another node."""
        seen = self._read()
        return seen is not None and _holder_of(seen) == self.holder

    def _content(self) -> bytes:
        return json.dumps({"holder": self.holder, "beat": f"{self._beats:020d}"}).encode()

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _take_away(self, seen: bytes) -> None:
        away = self._path.with_name(f"{self._path.name}.away.{self.holder}")
        try:
            self._path.rename(away)
        except FileNotFoundError:
            return
        try:
            if away.read_bytes() != seen:
                os.link(away, self._path)
        except OSError:
            pass  # a third job was faster, or there are no links: the partial folder's name decides
        finally:
            away.unlink(missing_ok=True)


class Watched:
    """Since when a lock has not changed, by the clock of the one who looks."""

    def __init__(self, stale_seconds: float) -> None:
        self._stale_seconds = stale_seconds
        self._content = b""
        self._since = 0.0

    def is_stale(self, content: bytes, now: float) -> bool:
        if content != self._content:
            self._content, self._since = content, now
        return now - self._since >= self._stale_seconds


def _holder_of(content: bytes) -> str | None:
    try:
        found = json.loads(content)
    except ValueError:
        return None
    return found.get("holder") if isinstance(found, dict) else None
