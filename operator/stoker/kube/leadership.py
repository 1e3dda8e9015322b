"""One leader at a time, by a Lease that is renewed in a thread of its own.

In a thread, so that a main loop that stalls does not lose the lease. What the main loop may rely on:

- `held()` is computed from the time of the last renewal. It is false from the renew deadline on, though the thread may
  hang in a request, and once false it stays false: whoever lost the lease exits and stands again as a new candidate;
- no two candidates' `held()` are true at once, whatever the time on their clocks, as long as nobody deletes the lease;
- what was begun while `held()` was true ends before the next leader begins, if its time-out is below the settings'
  `gap_seconds`. A process may be paused between asking and writing, though, so writes carry preconditions as well;
- the lease is given up when the `async with` block is left, so leave it after the last write.
"""

import asyncio
import logging
import math
import random
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol, Self

from stoker.kube.connection import ApiError, ApiUnreachableError, Json
from stoker.kube.lease import (
    LEASES,
    ElectionSettings,
    Lease,
    Move,
    Sighting,
    UnreadableLeaseError,
    decide,
    explained,
    loss,
    new_lease_body,
)

logger = logging.getLogger(__name__)

Clock = Callable[[], float]
LEADS = "leads"


class LeaseServer(Protocol):
    """The part of a Connection that an election needs."""

    async def get(self, path: str) -> Json: ...
    async def post(self, path: str, body: Mapping[str, Any]) -> Json: ...
    async def put(self, path: str, body: Mapping[str, Any]) -> Json: ...


class LeadershipLostError(Exception):
    """This process does not lead and will not lead again."""


class _FailedError(Exception):
    """No answer that is of use. Failures of one kind follow each other and are told once."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _AbsentError(_FailedError):
    """There is no lease."""


class _TakenError(Exception):
    """The lease does not name us any more."""


class _ConflictError(_FailedError):
    """The lease is no longer as it was when we decided to write it."""


def seconds_since_boot() -> float:
    """Monotonic. On Linux `time.monotonic` stands still while a machine sleeps, and the lease does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


def wall_clock() -> datetime:
    """Only for people who read the Lease."""
    return datetime.now(UTC)


class Tenure:
    """Until when we lead. Safe to ask from any thread. Once over, it is over for good."""

    def __init__(self, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        self._clock = clock
        self._changed = changed
        self._lock = threading.Lock()
        self._until: float | None = None
        self._over: str | None = None

    def held(self) -> bool:
        return self.left_seconds() > 0

    def left_seconds(self) -> float:
        with self._lock:
            return self._left_seconds()

    def extend(self, until: float) -> bool:
        """False where that is past, or where the tenure was over before: a late answer does not bring it back."""
        with self._lock:
            begun = self._until is not None
            if (begun and self._left_seconds() <= 0) or self._over is not None or until <= self._clock():
                return False
            self._until = until
        if not begun:
            self._changed()
        return True

    def end(self, why: str) -> None:
        """The first reason counts."""
        with self._lock:
            self._left_seconds()
            self._over = self._over or why
        self._changed()

    @property
    def over(self) -> str | None:
        """Why it is over."""
        with self._lock:
            self._left_seconds()
            return self._over

    def _left_seconds(self) -> float:
        if self._over is not None or self._until is None:
            return 0.0
        left = self._until - self._clock()
        if left <= 0:
            self._over = "the lease could not be renewed in time"
        return max(0.0, left)


class Election:
    """One candidacy, on whatever event loop runs it: stands by, leads, and is over when leadership is lost."""

    def __init__(
        self,
        settings: ElectionSettings,
        server: LeaseServer,
        tenure: Tenure,
        clock: Clock = seconds_since_boot,
        wall: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._settings = settings
        self._server = server
        self._tenure = tenure
        self._clock = clock
        self._wall = wall
        self._path = LEASES.path(settings.key)
        self._seen = Sighting()
        self._may_hold = False
        self._said = ""

    async def run(self) -> None:
        """Returns when the tenure is over."""
        lease = await self._acquire()
        await self._keep(lease)
        # Also tells those who wait where the tenure has run out by itself.
        self._tenure.end("the lease could not be renewed in time")
        logger.info("%s leads no more: %s", self._settings.identity, self._tenure.over)

    async def release(self) -> None:
        """Lets a standby take over at once. Only what is still ours is released, whoever changes it meanwhile."""
        if not self._may_hold:
            return
        try:
            async with asyncio.timeout(2 * self._settings.request_timeout_seconds):
                while not await self._released():
                    pass
        except (_FailedError, TimeoutError) as failed:
            logger.warning(
                "%s cannot release the lease, so another leads only %d s after its last renewal: %s",
                self._settings.identity, self._settings.lease_seconds, failed,
            )  # fmt: skip

    async def _released(self) -> bool:
        """False where the lease changed under our hands, as when a renewal that was given up arrives after all."""
        lease = await self._look()
        if lease is None or lease.holder != self._settings.identity:
            return True
        try:
            await self._put(lease.released_body(self._wall()))
        except _ConflictError:
            return False
        logger.info("%s released lease %s", self._settings.identity, self._settings.key)
        return True

    async def _acquire(self) -> Lease:
        while True:
            # Half of the wait is random, so that standbys do not ask in step.
            wait_seconds = self._settings.retry_seconds * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
            try:
                self._seen = self._seen.then(await self._look(), self._clock())
                decision = decide(self._settings, self._seen, self._clock())
                if decision.move is Move.STAND_BY:
                    self._say(decision.why, f"stands by: {decision.why}")
                    wait_seconds = min(wait_seconds, decision.for_seconds)
                elif lease := await self._seized(decision.move):
                    self._say(LEADS, f"leads: {decision.why}")
                    return lease
            except _ConflictError:
                pass  # The next look tells who was faster.
            except _FailedError as failed:
                self._say(failed.kind, f"stands by: {failed}", logging.WARNING)
            await asyncio.sleep(wait_seconds)

    async def _seized(self, move: Move) -> Lease | None:
        """None where the answer came so late that the next look must decide."""
        sent = self._clock()
        self._may_hold = True
        if move is Move.CREATE or self._seen.lease is None:
            lease = await self._create()
        elif move is Move.TAKE:
            lease = await self._put(self._seen.lease.taken_body(self._settings, self._wall()))
        else:
            lease = await self._put(self._seen.lease.renewed_body(self._settings, self._wall()))
        return lease if self._tenure.extend(sent + self._settings.renew_deadline_seconds) else None

    async def _keep(self, lease: Lease) -> None:
        due = self._clock() + self._settings.retry_seconds
        while True:
            await asyncio.sleep(max(0.0, min(due - self._clock(), self._tenure.left_seconds())))
            if self._tenure.over:
                return
            sent = self._clock()
            due = sent + self._settings.retry_seconds
            try:
                lease = await self._renewed(lease)
            except _TakenError as taken:
                self._tenure.end(str(taken))
            except _FailedError as failed:
                self._say(failed.kind, f"leads, but {failed}", logging.WARNING)
            else:
                if self._tenure.extend(sent + self._settings.renew_deadline_seconds):
                    self._say(LEADS, "leads: the lease is renewed again")

    async def _renewed(self, lease: Lease) -> Lease:
        try:
            return await self._put(lease.renewed_body(self._settings, self._wall()))
        except _ConflictError:
            # Somebody else's write, or one of ours whose answer was lost.
            current = await self._look()
        why = loss(self._settings, current)
        if current is None or why is not None:
            raise _TakenError(why)
        return await self._put(current.renewed_body(self._settings, self._wall()))

    async def _look(self) -> Lease | None:
        try:
            return await self._ask("get", self._server.get(self._path))
        except _AbsentError:
            return None

    async def _create(self) -> Lease:
        body = new_lease_body(self._settings, self._wall())
        return await self._ask("create", self._server.post(LEASES.collection(self._settings.namespace), body))

    async def _put(self, body: Json) -> Lease:
        try:
            return await self._ask("update", self._server.put(self._path, body))
        except _AbsentError as absent:
            raise _ConflictError(absent.kind, str(absent)) from absent

    async def _ask(self, verb: str, request: Awaitable[Json]) -> Lease:
        # A leader waits for no answer beyond the end of its tenure.
        seconds = min(self._settings.request_timeout_seconds, self._tenure.left_seconds() or math.inf)
        try:
            async with asyncio.timeout(seconds):
                return Lease.of(await request)
        except TimeoutError as late:
            message = f"cannot {verb} lease {self._settings.key}: no answer in {seconds:.1f} s"
            raise _FailedError("unanswered", message) from late
        except (ApiUnreachableError, UnreadableLeaseError) as failed:
            raise _FailedError("unanswered", f"cannot {verb} lease {self._settings.key}: {failed}") from failed
        except ApiError as refused:
            raise self._failure(verb, refused) from refused

    def _failure(self, verb: str, refused: ApiError) -> _FailedError:
        message, kind = explained(self._settings, verb, refused), f"{verb} {refused.status}"
        if refused.status == 409:
            return _ConflictError(kind, message)
        if refused.status == 404 and verb != "create":
            return _AbsentError(kind, message)
        return _FailedError(kind, message)

    def _say(self, state: str, text: str, level: int = logging.INFO) -> None:
        """Once for each change of state: a candidate asks every two seconds, for months."""
        if state != self._said:
            self._said = state
            logger.log(level, "%s %s", self._settings.identity, text)


class Leadership:
    """The election in its thread, as the main loop sees it: stands from `async with` on, releases at its end.

    `connect` is called in the thread, so what it opens belongs to the thread's own event loop.
    """

    def __init__(
        self,
        settings: ElectionSettings,
        connect: Callable[[], AbstractAsyncContextManager[LeaseServer]],
        clock: Clock = seconds_since_boot,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._clock = clock
        self._tenure = Tenure(clock, self._changed)
        # The first three belong to the main loop, the last to the thread's.
        self._decided = asyncio.Event()
        self._over = asyncio.Event()
        self._thread_ended = asyncio.Event()
        self._leaving = asyncio.Event()

    def held(self) -> bool:
        """Whether we lead right now. Cheap; ask before every write, from any thread."""
        return self._tenure.held()

    async def wait_until_held(self) -> None:
        """Raises where it is over before the main loop got to know that it had begun."""
        await self._decided.wait()
        if why := self._tenure.over:
            raise LeadershipLostError(why)

    async def wait_until_lost(self) -> str:
        """Returns why, also where the thread is stuck and cannot tell. The process has to exit then."""
        await self._decided.wait()
        while (why := self._tenure.over) is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._tenure.left_seconds()):
                    await self._over.wait()
        return why

    async def __aenter__(self) -> Self:
        self._main_loop = asyncio.get_running_loop()
        # Made here, so that the thread can be told to leave from its first moment on.
        self._own_loop = asyncio.new_event_loop()
        # A daemon, so that it does not keep alive, nor in the lead, a process that ends in any other way.
        threading.Thread(target=self._work, name="leadership", daemon=True).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tenure.end("this process exits")
        with suppress(RuntimeError):  # The thread has ended by itself.
            self._own_loop.call_soon_threadsafe(self._leaving.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(3 * self._settings.request_timeout_seconds):
                await self._thread_ended.wait()

    def _work(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._own_loop) as runner:
                runner.run(self._stand())
        except Exception as failed:
            logger.exception("%s: the election failed", self._settings.identity)
            self._tenure.end(f"the election failed: {failed!r}")
        finally:
            self._in_main_loop(self._thread_ended.set)

    async def _stand(self) -> None:
        async with self._connect() as server:
            election = Election(self._settings, server, self._tenure, self._clock)
            running = asyncio.create_task(election.run())
            leaving = asyncio.create_task(self._leaving.wait())
            await asyncio.wait({running, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
                # Not before the main loop has stopped writing may another lead.
                await leaving
            running.cancel()
            await asyncio.wait({running})
            await election.release()

    def _changed(self) -> None:
        self._in_main_loop(self._tell)

    def _tell(self) -> None:
        self._decided.set()
        if self._tenure.over:
            self._over.set()

    def _in_main_loop(self, tell: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # It is closed: nobody is left to be told.
            self._main_loop.call_soon_threadsafe(tell)
