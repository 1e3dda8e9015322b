"""Asks replicas for their load, each at its own pace, many at once.

One loop wakes every 50 ms: whose time has come is asked as soon as there is room, and whose answer is out of time is
taken for saturated, where it was connected, or unknown. A connection is kept while its replica has work. Nothing here
raises or waits for a single replica, and those that fail may take half of the room only.
"""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any, Protocol

from stoker.signals.polling.answer import Answer
from stoker.signals.polling.awake_clock import AwakeClock
from stoker.signals.polling.connection import Connection
from stoker.signals.polling.pace import Pace, Went, next_interval, next_time
from stoker.signals.polling.replica import Answers, Asked, Standing
from stoker.signals.sighting import Record
from stoker.signals.target import Target
from stoker.signals.unreadable import UnreadableError

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.05
_AWAKE_STEP_SECONDS = 4 * TICK_SECONDS
_SATURATED_STATUS = (429, 503)


class Dial(Protocol):
    """Opens a connection; as asyncio's loop does."""

    async def __call__(self, make: Callable[[], Connection], host: str, port: int) -> Any: ...


async def dial(make: Callable[[], Connection], host: str, port: int) -> Any:
    return await asyncio.get_running_loop().create_connection(make, host, port)


class Poller:
    def __init__(
        self,
        answers_of: Callable[[Target], Answers],
        pace: Pace,
        now: Callable[[], float] = time.monotonic,
        dial: Dial = dial,
    ) -> None:
        self._answers_of = answers_of
        self._pace = pace
        self._now = now
        self._dial = dial
        self._clock = AwakeClock(now(), _AWAKE_STEP_SECONDS)
        self._replicas: dict[str, Asked] = {}
        self._lists = 0
        self._due: list[tuple[float, int, Asked]] = []
        self._pushed = 0
        self._ready: deque[Asked] = deque()
        self._ready_failing: deque[Asked] = deque()
        self._running = self._running_failing = self._kept = 0
        # Since each waits for the same time, the first to come is the first that is out of it.
        self._asked: deque[tuple[float, int, Asked]] = deque()
        self._late: deque[tuple[float, int, Asked]] = deque()
        self._dialing: set[asyncio.Task[None]] = set()

    # ---- whom to ask

    def follow(self, targets: Iterable[Target]) -> None:
        """All of them; who is not among them any more is forgotten."""
        self._lists += 1
        before, now = self._replicas, self._now()
        after: dict[str, Asked] = {}
        changed = False
        for target in targets:
            asked = before.get(target.uid)
            if asked is None or not _same_place(asked.target, target):
                asked = Asked(target, self._answers_of(target), self._lists, now, self._pace)
                changed = True
            elif asked.target is not target:
                self._note(asked, target, now)
            after[target.uid] = asked
        self._replicas = after
        for uid, asked in before.items():
            if after.get(uid) is not asked:
                self._forget(asked)
                changed = True
        if changed:
            self._settle_addresses(now)

    def record(self, uid: str) -> Record | None:
        asked = self._replicas.get(uid)
        return asked.record if asked else None

    def _note(self, asked: Asked, target: Target, now: float) -> None:
        wakes = target.busy and not asked.target.busy
        asked.target = target
        if wakes and asked.due_seconds is not None:
            asked.interval_seconds = self._pace.busy_seconds
            self._schedule(asked, now)

    def _forget(self, asked: Asked) -> None:
        self._release(asked)
        asked.standing, asked.due_seconds = Standing.GONE, None
        asked.number += 1
        self._drop_connection(asked)

    def _settle_addresses(self, now: float) -> None:
        """An address is the newest pod's. Where two came at once, nobody can tell whose answer it would be."""
        holders: dict[tuple[str, int], tuple[int, Asked | None]] = {}
        for asked in self._replicas.values():
            address = (asked.target.ip, asked.target.port)
            newest, _ = holders.get(address, (-1, None))
            if asked.followed_at >= newest:
                holders[address] = (asked.followed_at, asked if asked.followed_at > newest else None)
        for asked in self._replicas.values():
            _, holder = holders[asked.target.ip, asked.target.port]
            if holder is not asked or not asked.target.ip:
                self._stand_aside(asked, holder)
            elif asked.is_aside:
                asked.is_aside = False
                self._schedule(asked, now)

    def _stand_aside(self, asked: Asked, holder: Asked | None) -> None:
        if not asked.is_aside:
            self._release(asked)
            self._drop_connection(asked)
            asked.number += 1
        asked.is_aside, asked.standing, asked.due_seconds = True, Standing.WAITING, None
        if not asked.target.ip:
            asked.record.failed("It has no address yet.")
            return
        other = f"pod {holder.target.namespace}/{holder.target.pod}" if holder else "several pods"
        asked.record.failed(f"Its address {asked.target.ip}:{asked.target.port} is that of {other} now.")

    # ---- when

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                self.tick()
                await asyncio.sleep(TICK_SECONDS)
        finally:
            for asked in self._replicas.values():
                self._drop_connection(asked)
            for task in self._dialing:
                task.cancel()

    def tick(self) -> None:
        now = self._now()
        awake = self._clock.step(now)
        while self._due and self._due[0][0] <= now:
            at, _, asked = heappop(self._due)
            if asked.due_seconds == at:
                asked.due_seconds = None
                (self._ready_failing if asked.is_failing else self._ready).append(asked)
        while self._asked and self._asked[0][0] + self._pace.timeout_seconds <= awake:
            _, number, asked = self._asked.popleft()
            if asked.number == number and asked.standing in (Standing.CONNECTING, Standing.ASKED):
                self._out_of_time(asked)
        while self._late and self._late[0][0] + self._pace.give_up_seconds <= awake:
            _, number, asked = self._late.popleft()
            if asked.number == number and asked.standing is Standing.LATE:
                self._drop_connection(asked)
                self._went(asked, Went.LATE)
        self._start_ready()

    def _schedule(self, asked: Asked, at_seconds: float) -> None:
        asked.due_seconds = at_seconds
        self._pushed += 1
        heappush(self._due, (at_seconds, self._pushed, asked))

    def _start_ready(self) -> None:
        while self._ready and self._running < self._pace.most_asked:
            self._start(self._ready.popleft())
        while (
            self._ready_failing
            and self._running < self._pace.most_asked
            and self._running_failing < self._pace.most_failing
        ):
            self._start(self._ready_failing.popleft())

    # ---- asking

    def _start(self, asked: Asked) -> None:
        if asked.is_aside or asked.standing is not Standing.WAITING or asked.due_seconds is not None:
            return
        self._running += 1
        self._running_failing += asked.is_failing
        if asked.connection is not None and asked.connection.is_open:
            self._ask(asked, asked.connection)
        else:
            self._connect(asked)

    def _connect(self, asked: Asked) -> None:
        self._drop_connection(asked)
        asked.number += 1
        asked.standing = Standing.CONNECTING
        self._asked.append((self._clock.at(self._now()), asked.number, asked))
        task = asyncio.get_running_loop().create_task(self._open(asked, asked.number))
        self._dialing.add(task)
        task.add_done_callback(self._dialing.discard)

    async def _open(self, asked: Asked, number: int) -> None:
        connection = Connection(asked.most_body_bytes)
        try:
            async with asyncio.timeout(2 * self._pace.timeout_seconds):
                await self._dial(lambda: connection, asked.target.ip, asked.target.port)
        except (OSError, ValueError) as error:
            if asked.number == number:
                self._failed(asked, f"It cannot be connected to: {_shown(error)}.")
            return
        if asked.number != number:
            connection.close()
            return
        asked.connection = connection
        self._kept += 1
        self._ask(asked, connection)

    def _ask(self, asked: Asked, connection: Connection) -> None:
        asked.number += 1
        asked.standing = Standing.ASKED
        self._asked.append((self._clock.at(self._now()), asked.number, asked))
        connection.ask(asked.question, _Question(self, asked, asked.number))

    def _out_of_time(self, asked: Asked) -> None:
        if asked.standing is Standing.CONNECTING:
            asked.number += 1
            self._failed(asked, f"It cannot be connected to within {self._pace.timeout_seconds:g} s.")
            return
        self._release(asked)
        asked.standing = Standing.LATE
        asked.record.late(self._now(), f"It is connected and does not answer within {self._pace.timeout_seconds:g} s.")
        self._late.append((self._clock.at(self._now()), asked.number, asked))

    # ---- how it went

    def answered(self, asked: Asked, answer: Answer) -> None:
        now, was_late = self._now(), asked.standing is Standing.LATE
        if answer.status != 200:
            self._refused(asked, answer.status, now)
            return
        try:
            load = asked.answers.read(answer.body, now)
        except UnreadableError as error:
            self.unreadable(asked, str(error))
            return
        before = asked.record.load
        is_busy = load.in_flight > 0 or before is None or before.arrivals != load.arrivals
        if is_busy:
            asked.busy_seconds = now
        if was_late:
            asked.record.late(now, f"It answered later than {self._pace.timeout_seconds:g} s.", load)
        else:
            asked.record.known(load)
        self._went(asked, Went.LATE if was_late else Went.BUSY if is_busy or asked.target.busy else Went.IDLE)

    def _refused(self, asked: Asked, status: int, now: float) -> None:
        if status in _SATURATED_STATUS and asked.record.load is not None:
            asked.record.late(now, f"It answered {status} to GET {asked.target.path}.")
            self._went(asked, Went.LATE)
        else:
            self._failed(asked, f"It answered {status} to GET {asked.target.path} instead of 200.")

    def unreadable(self, asked: Asked, why: str) -> None:
        self._failed(asked, f"Its answer to GET {asked.target.path} cannot be used: {why}.")

    def cut(self, asked: Asked, *, before_the_answer: bool) -> None:
        connection = asked.connection
        if before_the_answer and connection is not None and connection.was_used and asked.standing is Standing.ASKED:
            # It was closed for having waited too long, in the moment of the question.
            self._connect(asked)
            return
        self._failed(asked, f"It ended the connection before its answer to GET {asked.target.path} was whole.")

    def _failed(self, asked: Asked, why: str) -> None:
        self._drop_connection(asked)
        if asked.record.why != why:
            logger.debug("%s/%s: %s", asked.target.namespace, asked.target.pod, why)
        asked.record.failed(why)
        self._went(asked, Went.FAILED)

    def _went(self, asked: Asked, went: Went) -> None:
        self._release(asked)
        asked.standing, asked.is_failing = Standing.WAITING, went in (Went.FAILED, Went.LATE)
        now = self._now()
        is_idle = now - asked.busy_seconds > self._pace.keep_seconds
        if asked.connection is not None and (
            not asked.connection.is_open or is_idle or self._kept > self._pace.most_kept
        ):
            self._drop_connection(asked)
        asked.interval_seconds = next_interval(asked.interval_seconds, went, self._pace)
        self._schedule(asked, next_time(now, asked.interval_seconds, asked.share))
        self._start_ready()

    def _release(self, asked: Asked) -> None:
        if asked.standing in (Standing.CONNECTING, Standing.ASKED):
            self._running -= 1
            self._running_failing -= asked.is_failing

    def _drop_connection(self, asked: Asked) -> None:
        connection, asked.connection = asked.connection, None
        if connection is not None:
            self._kept -= 1
            connection.close()


class _Question:
    """What a connection tells is passed on only while its question is the current one."""

    __slots__ = ("_asked", "_number", "_poller")

    def __init__(self, poller: Poller, asked: Asked, number: int) -> None:
        self._poller = poller
        self._asked = asked
        self._number = number

    def answered(self, answer: Answer) -> None:
        if self._asked.number == self._number:
            self._poller.answered(self._asked, answer)

    def unreadable(self, why: str) -> None:
        if self._asked.number == self._number:
            self._poller.unreadable(self._asked, why)

    def cut(self, *, before_the_answer: bool) -> None:
        if self._asked.number == self._number:
            self._poller.cut(self._asked, before_the_answer=before_the_answer)


def _same_place(before: Target, after: Target) -> bool:
    return before is after or (
        (before.ip, before.port, before.path, before.source, before.engine)
        == (after.ip, after.port, after.path, after.source, after.engine)
    )


def _shown(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return (os.strerror(number) if number else str(error) or type(error).__name__).lower()
