"""Which keys to look at, when, and never one of them twice at a time.

Events, timers and failures all only say "look at this key". So a key that is added many times before its turn is
looked at once; one that is added while it is being looked at is looked at once more afterwards; and an immediate look
stands in for any later one, since whoever looks says when to look again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from stoker.kube.backoff import Backoff

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)


class WorkQueue(Generic[K]):
    """`look` is given a key and returns the seconds after which to look again by itself, or None."""

    def __init__(
        self,
        look: Callable[[K], Awaitable[float | None]],
        workers: int = 8,
        backoff: Callable[[], Backoff] = Backoff,
    ) -> None:
        self._look = look
        self._workers = workers
        self._new_backoff = backoff
        self._ready: deque[K] = deque()
        self._queued: set[K] = set()
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._later: dict[K, asyncio.TimerHandle] = {}
        self._failing: dict[K, Backoff] = {}
        self._not_before: dict[K, float] = {}
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._stopping = False

    def add(self, key: K) -> None:
        """Look at the key as soon as a worker is free, or, where it has just failed, after a breath."""
        wait_seconds = self._not_before.get(key, 0.0) - asyncio.get_running_loop().time()
        if wait_seconds > 0:
            self.add_after(key, wait_seconds)
        else:
            self._add_now(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Look at the key after this time, unless something makes it due earlier."""
        loop = asyncio.get_running_loop()
        timer = self._later.get(key)
        if key in self._queued or (timer is not None and timer.when() <= loop.time() + seconds):
            return
        if timer is not None:
            timer.cancel()
        self._later[key] = loop.call_later(seconds, self._add_now, key)

    def __len__(self) -> int:
        """Keys that wait for a worker."""
        return len(self._ready)

    async def run(self) -> None:
        """Works until `stop`, and then until what is being looked at is done."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work())

    async def wait_until_idle(self) -> None:
        """Until, for a moment, nothing waits for a worker and none is at work."""
        await self._idle.wait()

    def stop(self) -> None:
        self._stopping = True
        self._changed.set()
        for timer in self._later.values():
            timer.cancel()

    def _add_now(self, key: K) -> None:
        if timer := self._later.pop(key, None):
            timer.cancel()
        if key in self._running:
            self._again.add(key)
        elif key not in self._queued:
            self._queued.add(key)
            self._ready.append(key)
            self._idle.clear()
            self._changed.set()

    async def _work(self) -> None:
        while not self._stopping:
            if not self._ready:
                self._changed.clear()
                await self._changed.wait()
                continue
            key = self._ready.popleft()
            self._queued.discard(key)
            self._running.add(key)
            try:
                await self._look_once(key)
            finally:
                self._running.discard(key)
            if key in self._again:
                self._again.discard(key)
                self.add(key)
            if not self._ready and not self._running:
                self._idle.set()

    async def _look_once(self, key: K) -> None:
        try:
            again_seconds = await self._look(key)
        except Exception:
            # Whatever went wrong with one key, the others go on.
            backoff = self._failing.setdefault(key, self._new_backoff())
            seconds = backoff.next_seconds()
            # What changes in the meantime may well be the remedy, but a stream of changes must not become a loop.
            self._not_before[key] = asyncio.get_running_loop().time() + min(seconds, backoff.first_seconds)
            logger.exception("%s: failed; again in %.1f s", key, seconds)
            self.add_after(key, seconds)
            return
        self._failing.pop(key, None)
        self._not_before.pop(key, None)
        if again_seconds is not None:
            self.add_after(key, again_seconds)
