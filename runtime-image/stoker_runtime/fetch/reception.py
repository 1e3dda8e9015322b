"""Brings the bytes of one part to the disk, through as many connections as that takes."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.answers import RANGE_NOT_SATISFIABLE, Refused, span_of, validator_of
from stoker_runtime.fetch.digests import is_verifiable
from stoker_runtime.fetch.incoming import Incoming
from stoker_runtime.fetch.patience import Interrupted, Patience
from stoker_runtime.fetch.progress import Progress
from stoker_runtime.fetch.source import Request, Source
from stoker_runtime.fetch.web import Body, HttpWeb, unreachable

_HASH_EVERY_BYTES = 16 << 20


class FileChanged(WeightsError):  # noqa: N818 - it says what the file did
    """The file is another one than when its first part came."""


class SizeDiffers(WeightsError):  # noqa: N818 - it says what the size does
    """There are more or fewer bytes than listed."""


class Outcome(Enum):
    """How the reception of a part ended."""

    COMPLETE = "complete"
    ABANDONED = "abandoned"  # the transfer ends, or the file began anew
    WANTS_ONE_STREAM = "wants one stream"  # the server gives no ranges


@dataclass(frozen=True)
class Job:
    """A part to fetch, or with no span: bytes that are there to be digested."""

    file: Incoming
    generation: int
    span: tuple[int, int | None] | None

    @property
    def is_current(self) -> bool:
        return self.generation == self.file.generation


@dataclass(frozen=True)
class Way:
    """What all receptions of a transfer share."""

    web: HttpWeb
    patience: Patience
    progress: Progress


class Reception:
    """One part."""

    def __init__(self, job: Job, source: Source, revision: str, way: "Way") -> None:
        self._job, self._file = job, job.file
        self._handle = job.file.handle  # of this job's generation, or an end is made before the first byte
        self._source, self._revision = source, revision
        self._web, self._patience, self._progress = way.web, way.patience, way.progress
        self._first, self._end = job.span or (0, None)
        self.at = self._first
        self._attempt = 0

    def run(self, buffer: memoryview, ending: threading.Event, hash_beside: Callable[[Job], None]) -> Outcome:
        outcome: Outcome | None = None
        try:
            while outcome is None:
                outcome = self._once(buffer, ending, hash_beside)
        finally:
            if outcome is not Outcome.COMPLETE:
                self._progress.found(self._first - self.at)
        return outcome

    def _once(self, buffer: memoryview, ending: threading.Event, hash_beside: Callable[[Job], None]) -> Outcome | None:
        if ending.is_set() or not self._job.is_current:
            return Outcome.ABANDONED
        located = self._file.location
        before = self.at
        request = located or self._source.request(self._revision, self._file.remote)
        try:
            with self._open(request) as body:
                self._file.location = body.request
                self._refuse_another(body)
                if body.status != 206 and not self._starts_over():
                    return Outcome.WANTS_ONE_STREAM
                limit = self._limit(request, body)
                return self._read(body, limit, buffer, ending, hash_beside)
        except Refused:
            self._file.location = None
            # A signature that ran out looks like any other refusal, so the source is asked for a new one first.
            if located is None:
                raise
        except Interrupted as why:
            self._file.location = None
            self._attempt = 0 if self.at > before else self._attempt + 1
            if ending.is_set() or not self._job.is_current:
                return Outcome.ABANDONED
            if not self._patience.wait(self._attempt, why):
                raise unreachable(request.url, why, self._web.times) from why
        return None

    def _open(self, request: Request) -> Body:
        if self._end is None and not self.at:
            return self._web.open(request)
        if_range = self._file.validator if self._file.wants_same_validator else None
        return self._web.open(request, first=self.at, end=self._end, if_range=if_range)

    def _starts_over(self) -> bool:
        """Whether the whole content, which comes instead of a part, can be taken from its beginning."""
        is_whole = self._first == 0 and self._end in (None, self._file.size_bytes)
        if not is_whole or (self.at and self._file.ready_bytes):
            return False
        self._progress.found(-self.at)
        self.at = 0
        return True

    def _refuse_another(self, body: Body) -> None:
        path, listed = self._file.remote.path, self._file.size_bytes
        if body.status == RANGE_NOT_SATISFIABLE:
            raise SizeDiffers(Reason.SIZE_MISMATCH, f"{path} ends before byte {self.at}, and {listed} bytes are listed")
        validator = validator_of(body.headers)
        if validator and self._file.wants_same_validator and not self._file.agrees(validator, self._job.generation):
            raise FileChanged(
                Reason.DIGEST_MISMATCH,
                f"{path} changes at its source while it is fetched: name a source that stays, such as a version",
            )

    def _limit(self, request: Request, body: Body) -> int | None:
        """Up to which byte this answer is read. Raises when it is not what was asked for."""
        path, listed = self._file.remote.path, self._file.size_bytes
        span = span_of(request.url, body.status, body.headers)
        if span.first != self.at:
            raise Interrupted(f"{path} comes from byte {span.first}, {self.at} was asked for")
        if listed is not None and span.total not in (None, listed):
            raise SizeDiffers(
                Reason.SIZE_MISMATCH,
                f"{path} has {span.total} bytes, and the source lists {listed}: "
                "the list or the content is stale; check the source, and any mirror before it",
            )
        if listed is None and span.end is None and body.is_open_ended and not is_verifiable(self._file.remote):
            raise WeightsError(
                Reason.UNSAFE_SOURCE,
                f"{path} comes with neither a length nor a digest, so a cut would not show: give its sha256",
            )
        return listed if self._end is None else self._end

    def _read(
        self,
        body: Body,
        limit: int | None,
        buffer: memoryview,
        ending: threading.Event,
        hash_beside: Callable[[Job], None],
    ) -> Outcome:
        hash_at = self.at + _HASH_EVERY_BYTES
        while True:
            count = body.fill(buffer)
            if ending.is_set() or not self._job.is_current:
                return Outcome.ABANDONED
            if not count:
                break
            if limit is not None and self.at + count > limit:
                raise SizeDiffers(
                    Reason.SIZE_MISMATCH,
                    f"{self._file.remote.path} goes on after byte {limit}, and the source lists "
                    f"{self._file.size_bytes} bytes: check the source, and any mirror before it",
                )
            self._write(buffer[:count])
            if self._end is None and self.at >= hash_at:
                hash_at += _HASH_EVERY_BYTES
                self._file.ready_bytes = self.at
                hash_beside(self._job)
        if limit is not None and self.at < limit:
            raise Interrupted(f"{self._file.remote.path} ended at byte {self.at}")
        return Outcome.COMPLETE

    def _write(self, data: memoryview) -> None:
        self._progress.arrived(len(data))
        while data:
            with self._file.one_writes:
                written = os.pwrite(self._handle, data, self.at)
            self.at += written
            data = data[written:]
        if self.at > self._file.farthest_byte or self._file.has_ranges:
            self._file.farthest_byte = max(self.at, self._file.farthest_byte)
            self._patience.progressed()
