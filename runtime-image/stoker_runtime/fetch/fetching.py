"""One run from its task to a published folder: references, the lock, the transfer, the publishing."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch import journal, manifest
from stoker_runtime.fetch.journal import Journal
from stoker_runtime.fetch.links import link_what_is_there
from stoker_runtime.fetch.lock import Lock, LockTimes, LostLock
from stoker_runtime.fetch.manifest import Manifest, damage, read_manifest
from stoker_runtime.fetch.patience import Stopped
from stoker_runtime.fetch.progress import Progress
from stoker_runtime.fetch.publishing import forget_journal, publish
from stoker_runtime.fetch.retention import forget, refer, sweep
from stoker_runtime.fetch.source import RemoteFile, Source
from stoker_runtime.fetch.task import Task
from stoker_runtime.fetch.transfer import Settings, Transfer
from stoker_runtime.fetch.unpacking import Select, unpack_all
from stoker_runtime.fetch.volume import Volume, refuse_if_too_small, writing
from stoker_runtime.fetch.web import HttpWeb

Unpacked = Callable[[RemoteFile], str | None]  # the prefix that is taken off the paths in an archive; None: a file


@dataclass(frozen=True)
class Limits:
    """Waits and sizes of a run."""

    lock: LockTimes = field(default_factory=LockTimes)
    transfer: Settings = field(default_factory=Settings)
    busy_seconds: float = 3600.0  # for another job to end
    poll_seconds: float = 1.0


@dataclass(frozen=True)
class Fetched:
    """How a run ended well."""

    revision: str
    total_bytes: int
    file_count: int
    fetched_bytes: int  # over the network, by this run


class Fetching:
    """One run."""

    def __init__(  # noqa: PLR0913, PLR0917 - these are what a run is made of
        self,
        task: Task,
        volume: Volume,
        source: Source,
        select: Select,
        web: HttpWeb,
        limits: Limits | None = None,
        unpacked: Unpacked = lambda _: None,
    ) -> None:
        self._task, self._volume = task, volume
        self._source, self._select, self._web = source, select, web
        self._limits = limits or Limits()
        self._unpacked = unpacked
        self._damaged: tuple[int, int] | None = None  # the published folder that was found to be, by its manifest
        self.progress = Progress(total_bytes=task.total_bytes)

    def run(self, verify: bool = False) -> Fetched:
        folder = self._task.folder
        self._volume.prepare()
        # By whom the replicas run, and not by the node, which would make it root's.
        with writing(self._volume.root):
            self._volume.compiled(self._task.owner).mkdir(parents=True, exist_ok=True)
        # First of all, so that no other run takes the folder for one that nobody uses.
        refer(self._volume, folder, self._task.owner)
        forget(self._volume, self._task.owner, {folder, *self._task.keep})
        sweep(self._volume, self._limits.lock, never={folder})
        deadline = time.monotonic() + self._limits.busy_seconds
        while True:
            published = self._published(by_digest=verify)
            if published:
                return self._told(published)
            lock = Lock(self._volume, folder, self._limits.lock)
            if not lock.acquire(lambda: self._wait(deadline)):
                continue
            try:
                return self._told(self._fetched(lock))
            except LostLock:
                # Whoever took over may publish, or die as well.
                continue
            finally:
                lock.release()

    def close(self) -> None:
        self._web.close()

    def _fetched(self, lock: Lock) -> Manifest:
        partial = lock.adopt()
        published = self._published()
        if published:
            # Between the look before the lock and the lock itself, another job came to its end.
            return published
        self.progress.state = "Listing"
        revision = self._task.revision or self._source.resolve()
        files, archives = self._listed(revision)
        sizes = [file.size_bytes for file in files]
        self.progress.total_bytes = None if None in sizes else sum(size or 0 for size in sizes)
        with writing(partial):
            try:
                kept = Journal(partial)
            except FileNotFoundError as error:
                raise LostLock(f"{partial.name} was taken over by another job") from error
        try:
            link_what_is_there(self._volume, partial, kept, files)
            refuse_if_too_small(self._volume.root, sum(sizes_known(files)) - _allocated_bytes(partial))
            self.progress.state = "Downloading"
            transfer = Transfer(self._source, revision, self._web, self.progress, self._limits.transfer)
            fetched = transfer.run(partial, kept, files, lock.check)
            if archives:
                self.progress.state = "Unpacking"
                fetched = unpack_all(partial, fetched, archives, self._select)
        except FileNotFoundError as error:
            if partial.exists():
                raise
            raise LostLock(f"{partial.name} was taken over by another job") from error
        finally:
            kept.close()
        self.progress.state = "Publishing"
        self.progress.total_bytes = sum(file.size_bytes for file in fetched)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        what = Manifest(manifest.without_secrets(self._task.source), revision, tuple(fetched), now)
        lock.check()
        published = self._published()
        if published:
            return published
        if self._damaged:
            self._volume.discard(self._volume.published(self._task.folder))
        publish(self._volume, partial, self._task.folder, what)
        return what

    def _listed(self, revision: str) -> tuple[Sequence[RemoteFile], dict[str, str]]:
        """What to fetch. With archives in it all is fetched: what is in them is chosen from when it can be seen."""
        listed = self._source.files(revision)
        prefixes = {file.path: self._unpacked(file) for file in listed}
        archives = {path: prefix for path, prefix in prefixes.items() if prefix is not None}
        files = listed if archives else self._select(listed)
        refuse_unsafe(files)
        return files, archives

    def _published(self, by_digest: bool = False) -> Manifest | None:
        """The folder's manifest when it is published and whole."""
        path = self._volume.published(self._task.folder)
        found = read_manifest(path)
        if found is None:
            if path.exists():
                raise WeightsError(
                    Reason.VOLUME_NOT_WRITABLE,
                    f"{path} exists and was not published by Stoker, for it has no {manifest.NAME}: move it away",
                )
            return None
        if by_digest:
            self.progress.state = "Verifying"
        if self._damaged == _mark(path) or damage(path, found, by_digest):
            self._damaged = _mark(path)
            return None
        forget_journal(path)
        return found

    def _wait(self, deadline: float) -> bool:
        """For another job. False when it published."""
        self.progress.state = "Waiting for another job that fetches the same weights"
        if self._web.stop.wait(self._limits.poll_seconds):
            raise Stopped
        if time.monotonic() > deadline:
            raise WeightsError(
                Reason.BUSY,
                f"{self._task.folder} is still being written by another job after {self._limits.busy_seconds:.0f} s: "
                "look at the log of that job",
            )
        return self._published() is None

    def _told(self, what: Manifest) -> Fetched:
        for left in self._volume.partials_of(self._task.folder):
            self._volume.discard(left)
        self.progress.state = "Published"
        self.progress.total_bytes = self.progress.present_bytes = what.total_bytes
        return Fetched(what.revision, what.total_bytes, len(what.files), self.progress.fetched_bytes)


def refuse_unsafe(files: Sequence[RemoteFile]) -> None:
    """Whatever a source and a selection let through: nothing is written outside of the folder."""
    if not files:
        raise WeightsError(Reason.NO_WEIGHTS, "the source lists no file to fetch: look at include and exclude")
    seen: set[str] = set()
    for file in files:
        path = PurePosixPath(file.path)
        safe = (
            file.path == path.as_posix() and not path.is_absolute() and ".." not in path.parts and "\0" not in file.path
        )
        if not safe or file.path in ("", ".") or path.parts[0].lower().startswith(".stoker") or file.path in seen:
            raise WeightsError(
                Reason.UNSAFE_SOURCE, f"the source lists {file.path[:200]!r}, which is no path of one file in a folder"
            )
        seen.add(file.path)
        if file.path.lower() in (manifest.NAME, journal.NAME, f"{manifest.NAME}.new"):
            raise WeightsError(
                Reason.UNSAFE_SOURCE,
                f"the source lists {file.path}, which is the name of Stoker's own record: exclude it",
            )
        if file.size_bytes is not None and file.size_bytes < 0:
            raise WeightsError(Reason.UNSAFE_SOURCE, f"the source lists {file.path} with {file.size_bytes} bytes")


def _mark(published: Path) -> tuple[int, int]:
    found = (published / manifest.NAME).stat()
    return found.st_ino, found.st_mtime_ns


def sizes_known(files: Sequence[RemoteFile]) -> list[int]:
    return [file.size_bytes or 0 for file in files]


def _allocated_bytes(partial: Path) -> int:
    """What an earlier run has taken of the disk already, links too."""
    total_bytes = 0
    for parent, _, names in os.walk(partial):
        for name in names:
            found = (Path(parent) / name).lstat()
            total_bytes += min(found.st_blocks * 512, found.st_size)
    return total_bytes
