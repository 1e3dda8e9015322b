"""Fetches files into a folder: in parallel over files and over parts of large ones, and each verified.

Workers take parts from one queue, and never wait for the disk: the thread that started them does. Whatever ends the
transfer (a reason, a signal, a lost lock) stops all of them at their next buffer; what the journal holds by then, the
next run need not fetch again."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from stoker_runtime.fetch.incoming import Incoming
from stoker_runtime.fetch.journal import Journal
from stoker_runtime.fetch.manifest import ManifestFile
from stoker_runtime.fetch.parts import interleaved, missing_spans
from stoker_runtime.fetch.patience import Patience
from stoker_runtime.fetch.progress import Progress
from stoker_runtime.fetch.reception import FileChanged, Job, Outcome, Reception, SizeDiffers, Way
from stoker_runtime.fetch.source import RemoteFile, Source
from stoker_runtime.fetch.volume import writing
from stoker_runtime.fetch.web import HttpWeb

_LOOK_SECONDS = 1.0  # for an order to stop, which wakes nobody, and for the lock
_JOINED_FOR_SECONDS = 0.2
_MOST_RESTARTS = 3  # of one file that changes under the transfer


@dataclass(frozen=True)
class Settings:
    """How much at once. Memory is a buffer for each connection, whatever the sizes of files."""

    connections: int = 8
    part_bytes: int = 16 << 20
    buffer_bytes: int = 256 << 10  # what a processor's own cache holds; four times as much took longer
    lanes: int = 2
    checkpoint_seconds: float = 5.0  # each second took twice the time in the kernel, and was slower in all


class Transfer:
    """One run over the files of one revision."""

    def __init__(
        self,
        source: Source,
        revision: str,
        web: HttpWeb,
        progress: Progress,
        settings: Settings,
    ) -> None:
        self._source, self._revision, self._web = source, revision, web
        self._progress = progress
        self._way = Way(web, Patience(web.times, web.stop), progress)
        self._settings = settings
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._later: Iterator[Job] = iter(())
        self._unfinished = 0
        self._files: list[Incoming] = []
        self._verified: list[Incoming] = []  # which the disk may not hold yet
        self._failure: BaseException | None = None
        self._ending = threading.Event()

    def run(
        self, folder: Path, journal: Journal, files: Sequence[RemoteFile], holds: Callable[[], None] = lambda: None
    ) -> list[ManifestFile]:
        """All files, verified. `holds` raises when the folder is no longer ours."""
        threads: list[threading.Thread] = []
        try:
            for remote in files:
                self._files.append(Incoming(remote, folder / remote.path, journal))
            self._unfinished = len(self._files)
            self._later = interleaved([self._jobs_of(file) for file in self._files], self._settings.lanes)
            self._progress.found(sum(end - first for file in self._files for first, end in file.done))
            threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._settings.connections)]
            for thread in threads:
                thread.start()
            self._watch(journal, holds)
            return [ManifestFile(each.remote.path, each.size_bytes or 0, each.digests.sha256) for each in self._files]
        finally:
            self._end(threads)
            self._checkpoint(journal)
            for file in self._files:
                file.close()

    def _jobs_of(self, file: Incoming) -> Iterator[Job]:
        """Of the generation of now, even where they are taken later."""
        generation, size_bytes, done = file.generation, file.size_bytes, list(file.done)
        if size_bytes is None or (not file.has_ranges and not file.is_ready):
            return iter([Job(file, generation, (0, None))])
        spans = missing_spans(size_bytes, done, self._settings.part_bytes)
        wanted = (Job(file, generation, span) for span in spans)
        return chain([Job(file, generation, None)], wanted) if file.ready_bytes or not size_bytes else wanted

    def _watch(self, journal: Journal, holds: Callable[[], None]) -> None:
        """Waits for the end, and all the while has the disk hold what the journal tells."""
        due = time.monotonic() + self._settings.checkpoint_seconds
        while True:
            left_seconds = min(_LOOK_SECONDS, due - time.monotonic())
            with self._changed:
                self._changed.wait_for(lambda: self._is_over() or self._verified, timeout=left_seconds)
                if self._failure:
                    raise self._failure
                # Told to end is over too, but not whole.
                self._way.patience.check()
                verified, self._verified = self._verified, []
            for file in verified:
                with writing(file.path):
                    file.finish()
            with self._changed:
                self._unfinished -= len(verified)
                if not self._unfinished:
                    self._changed.notify_all()
                    return
            holds()
            if time.monotonic() >= due:
                self._checkpoint(journal)
                due = time.monotonic() + self._settings.checkpoint_seconds

    def _is_over(self) -> bool:
        return self._failure is not None or self._web.stop.is_set() or not self._unfinished

    def _checkpoint(self, journal: Journal) -> None:
        lines = journal.line_count()
        for file in self._files:
            if not file.is_finished:
                file.sync()
        journal.synced(lines)

    def _end(self, threads: list[threading.Thread]) -> None:
        with self._changed:
            self._ending.set()
            self._changed.notify_all()
        for thread in threads:
            while thread.is_alive():
                # Again and again: a thread may have been about to connect.
                self._web.close()
                thread.join(_JOINED_FOR_SECONDS)

    def _work(self) -> None:
        buffer = memoryview(bytearray(self._settings.buffer_bytes))
        try:
            while job := self._next():
                self._do(job, buffer)
        except BaseException as error:  # noqa: BLE001 - told to the thread that waits for the end
            with self._changed:
                if not self._ending.is_set():
                    self._failure = self._failure or error
                self._changed.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            while not (self._ending.is_set() or self._is_over()):
                job = self._jobs.popleft() if self._jobs else next(self._later, None)
                if job:
                    return job
                self._changed.wait()
            return None

    def _do(self, job: Job, buffer: memoryview) -> None:
        file = job.file
        if not job.is_current or file.is_verified:
            return
        try:
            file.open()
            if job.span and not file.is_ready:
                reception = Reception(job, self._source, self._revision, self._way)
                with writing(file.path):
                    self._received(job, reception, buffer)
            file.hash_forward(job.generation, self._ending)
        except (FileChanged, SizeDiffers) as error:
            self._again(job, error)
            return
        self._verify_when_hashed(job)

    def _verify_when_hashed(self, job: Job) -> None:
        file = job.file
        with self._changed:
            if not job.is_current or not file.is_hashed or file.is_verified:
                return
            wrong = file.digests.mismatch(file.remote.path)
            if wrong is None:
                file.is_verified = True
                self._verified.append(file)
                self._changed.notify_all()
                return
        self._again(job, wrong)

    def _received(self, job: Job, reception: Reception, buffer: memoryview) -> None:
        outcome = reception.run(buffer, self._ending, self._hash_beside)
        with self._changed:
            if not job.is_current and outcome is Outcome.COMPLETE and job.span:
                self._progress.found(job.span[0] - reception.at)
            if outcome is Outcome.ABANDONED or not job.is_current or job.span is None:
                return
            if outcome is Outcome.WANTS_ONE_STREAM:
                job.file.has_ranges = False
                self._restart(job.file)
                return
            if job.file.size_bytes is None:
                job.file.size_bytes = reception.at
            job.file.add((job.span[0], reception.at))

    def _hash_beside(self, job: Job) -> None:
        """While one stream comes in, another worker reads it for its digest."""
        with self._changed:
            self._jobs.appendleft(Job(job.file, job.generation, None))
            self._changed.notify()

    def _again(self, job: Job, why: Exception) -> None:
        """Wrong bytes are fetched once more, a file that changes a few times; then it is final."""
        with self._changed:
            if not job.is_current:
                return
            file = job.file
            file.restarts += 1
            most = _MOST_RESTARTS if isinstance(why, FileChanged) else 1
            if file.restarts > most:
                raise why
            self._restart(file)

    def _restart(self, file: Incoming) -> None:
        self._progress.found(-sum(end - first for first, end in file.done))
        file.restart()
        self._jobs.extendleft(reversed(list(self._jobs_of(file))))
        self._changed.notify_all()
