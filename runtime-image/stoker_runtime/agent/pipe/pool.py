"""Connections to the engine that wait for their next request."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from stoker_runtime.agent.pipe.engine import EngineConnection
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.upstream import Connector

if TYPE_CHECKING:
    from stoker_runtime.agent.pipe.exchange import Exchange


class Pool:
    """The one used last is used next, so that what is not needed grows old."""

    def __init__(self, connector: Connector, limits: Limits, clock: Callable[[], float]) -> None:
        self._connector = connector
        self._limits = limits
        self._clock = clock
        self._idle: deque[EngineConnection] = deque()
        self._connecting: set[asyncio.Task[None]] = set()

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take(self) -> EngineConnection | None:
        """One that the engine holds open, as far as can be told."""
        self.close_old()
        while self._idle:
            engine = self._idle.pop()
            if not engine.is_stale():
                engine.reused = True
                return engine
            engine.abort()
        return None

    def give(self, engine: EngineConnection) -> None:
        engine.exchange = None
        if len(self._idle) >= self._limits.pooled_connections:
            engine.abort()
            return
        engine.resume_answer()
        engine.idle_since = self._clock()
        self._idle.append(engine)

    def connect(self, exchange: "Exchange") -> None:
        """The exchange gets a new connection, or why there is none."""
        task = asyncio.get_running_loop().create_task(self._connect(exchange))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def close_old(self) -> None:
        latest = self._clock() - self._limits.pooled_seconds
        while self._idle and self._idle[0].idle_since < latest:
            self._idle.popleft().abort()

    async def close(self) -> None:
        for task in self._connecting:
            task.cancel()
        while self._idle:
            self._idle.pop().abort()
        await asyncio.gather(*self._connecting, return_exceptions=True)

    async def _connect(self, exchange: "Exchange") -> None:
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                engine = EngineConnection(self._forget, self._limits.high_water_bytes)
                await self._connector(lambda: engine)
        except TimeoutError:
            exchange.engine_unreachable(f"no connection to the engine within {self._limits.connect_seconds:g} s")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            exchange.engine_unreachable(f"no connection to the engine: {reason.partition(' (')[0]}")
        else:
            exchange.engine_ready(engine)

    def _forget(self, engine: EngineConnection) -> None:
        if engine in self._idle:
            self._idle.remove(engine)
