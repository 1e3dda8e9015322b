"""One file on its way: which bytes are there, and the digests of its beginning as that grows.

Parts come out of order, and a digest wants them in order. So the beginning is read back from the page cache as soon as
it has no gap: that costs a copy, a tenth of what the digest costs, and no memory."""

import os
import threading
from pathlib import Path

from stoker_runtime.fetch.digests import Digests, is_verifiable
from stoker_runtime.fetch.journal import Journal, Recorded
from stoker_runtime.fetch.parts import Span, ready_bytes
from stoker_runtime.fetch.source import RemoteFile, Request
from stoker_runtime.fetch.volume import writing

_HASHED_AT_ONCE_BYTES = 1 << 20


class Incoming:
    """Changed under the transfer's lock, but for the digests, which have their own."""

    def __init__(self, remote: RemoteFile, path: Path, journal: Journal) -> None:
        self.remote, self.path = remote, path
        self.size_bytes = remote.size_bytes
        self.generation = 0  # grows when all that was fetched is thrown away
        self.has_ranges = True
        self.validator: str | None = None
        self.location: Request | None = None  # where redirects led
        self.farthest_byte = 0  # that ever came: the same byte again is no progress
        self.restarts = 0
        self.is_verified = False  # whole, and what its source lists
        self.is_finished = False  # and on the disk
        self.done: list[Span] = []
        self.ready_bytes = 0
        self._journal = journal
        self._hashing = threading.Lock()
        # The kernel lets one thread at a time write to a file, and the others burn a processor while they wait.
        self.one_writes = threading.Lock()
        self._handles: list[int] = []
        known = journal.recorded.get(remote.path)
        if known and self._still_holds(known):
            self.validator = known.validator
            self.done = list(known.done)
            self.ready_bytes = ready_bytes(self.done)
        self._begin_digests()

    @property
    def handle(self) -> int:
        return self._handles[-1]

    @property
    def is_ready(self) -> bool:
        """Whether all bytes are there."""
        return self.size_bytes is not None and self.ready_bytes >= self.size_bytes

    @property
    def is_hashed(self) -> bool:
        return self.is_ready and self.hashed_bytes >= self.ready_bytes

    @property
    def wants_same_validator(self) -> bool:
        """A digest tells more than an ETag, which differs between the edges of one network."""
        return not is_verifiable(self.remote)

    def open(self) -> None:
        """As late as its first part: a process may not have as many files open as a source lists."""
        with self._hashing:
            if self._handles:
                return
            if self.done:
                with writing(self.path):
                    self._handles.append(os.open(self.path, os.O_RDWR))
            else:
                self._create()

    def finish(self) -> None:
        """By the thread that syncs, so that no handle is closed under it. Older handles stay open to the end: somebody
        may still be about to write to one, and its number must not mean another file by then."""
        self.sync()
        with self._hashing:
            self.is_finished = True
            os.close(self._handles.pop())

    def restart(self) -> None:
        """Into a new file: whoever still writes to the old one harms nothing."""
        self.generation += 1
        self.done, self.ready_bytes = [], 0
        self.size_bytes = self.remote.size_bytes
        self.location = None
        with self._hashing:
            self.validator = None
            self._create()

    def add(self, span: Span) -> None:
        """A part is there, and stays there."""
        self.done.append(span)
        self.ready_bytes = max(self.ready_bytes, ready_bytes(self.done))
        self._journal.done(self.remote.path, span)

    def agrees(self, validator: str, generation: int) -> bool:
        """Whether this answer is of the same content as the first one was."""
        with self._hashing:
            if self.validator is None and self.generation == generation:
                self.validator = validator
                self._journal.validated(self.remote.path, validator)
            return self.validator == validator or self.generation != generation

    def hash_forward(self, generation: int, stop: threading.Event) -> None:
        """Brings the digests up to the first gap, unless another thread is at it."""
        buffer = memoryview(bytearray(_HASHED_AT_ONCE_BYTES))
        while self.hashed_bytes < self.ready_bytes and self.generation == generation:
            if not self._hashing.acquire(blocking=False):
                return
            try:
                while self.hashed_bytes < self.ready_bytes and self.generation == generation and not stop.is_set():
                    most = min(len(buffer), self.ready_bytes - self.hashed_bytes)
                    count = os.preadv(self.handle, [buffer[:most]], self.hashed_bytes)
                    if not count:
                        raise OSError(f"{self.path} is shorter than what was written to it")
                    self.digests.update(buffer[:count])
                    self.hashed_bytes += count
            finally:
                self._hashing.release()
            if stop.is_set():
                return

    def sync(self) -> None:
        if self._handles:
            os.fdatasync(self.handle)

    def close(self) -> None:
        for handle in self._handles:
            os.close(handle)
        self._handles = []

    def _create(self) -> None:
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            self._handles.append(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644))
            self._journal.started(self.remote.path, self.remote.size_bytes, expected_digest(self.remote))
            # Not allocated: blocks that are there but unwritten make each checkpoint dear, and room was looked for.
            os.ftruncate(self.handle, self.size_bytes or 0)
        self._begin_digests()

    def _begin_digests(self) -> None:
        self.hashed_bytes = 0
        self.digests = Digests(self.remote, self.size_bytes)

    def _still_holds(self, known: Recorded) -> bool:
        """Whether what lies there is what the journal speaks of, and of the file that is wanted now."""
        if (known.size_bytes, known.digest) != (self.remote.size_bytes, expected_digest(self.remote)):
            return False
        if known.size_bytes is None or self.path.is_symlink() or not self.path.is_file():
            return False
        found = self.path.stat()
        whole = ready_bytes(known.done) >= known.size_bytes
        # A linked file belongs to another published folder too: it is never written.
        return found.st_size == known.size_bytes and (found.st_nlink == 1 or whole)


def expected_digest(remote: RemoteFile) -> str | None:
    return remote.sha256 or remote.git_blob_sha1 or remote.md5
