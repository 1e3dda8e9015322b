"""The engine's own metrics, read each second while somebody wants them, and not at all otherwise."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from stoker_runtime.agent.engine.loopback import EngineGoneError, EngineLateError, EngineNonsenseError, ask
from stoker_runtime.agent.pipe.upstream import Upstream
from stoker_runtime.readings import WITHOUT_METRICS, Reading, read

WANTED_FOR_SECONDS = 10.0
EXPIRED_AFTER_SECONDS = 10.0
_EVERY_SECONDS = 1.0
_LOOK_SECONDS = 0.2
_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class Taken:
    """A reading, and when it was taken."""

    reading: Reading
    at_seconds: float


Fetch = Callable[[], Awaitable[bytes | None]]


def fetched_from(engine: Upstream, path: str) -> Fetch:
    """None where no page comes: an engine without metrics, or one that is late."""

    async def fetch() -> bytes | None:
        try:
            answer = await ask(engine, "GET", path, _TIMEOUT_SECONDS)
        except (EngineGoneError, EngineLateError, EngineNonsenseError):
            return None
        return answer.body if answer.is_good else None

    return fetch


class EngineCounters:
    """`run` reads; anyone may want, and look, from any thread."""

    def __init__(self, engine: str, fetch: Fetch, now: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._fetch = fetch
        self._now = now
        self._wanted_until = -math.inf
        self._taken: Taken | None = None

    def want(self) -> None:
        if self._engine not in WITHOUT_METRICS:
            self._wanted_until = self._now() + WANTED_FOR_SECONDS

    @property
    def taken(self) -> Taken | None:
        """The last reading, however old it is."""
        return self._taken

    def fresh(self) -> Reading | None:
        """None where the last reading is too old to say anything."""
        taken = self._taken
        return taken.reading if taken and self._now() - taken.at_seconds <= EXPIRED_AFTER_SECONDS else None

    def age_seconds(self) -> float | None:
        taken = self._taken
        return None if taken is None else self._now() - taken.at_seconds

    def forget(self) -> None:
        """The engine is another one now."""
        self._taken = None

    async def run(self) -> None:
        while True:
            if self._now() < self._wanted_until:
                began = self._now()
                page = await self._fetch()
                if page is not None:
                    self._taken = Taken(read(self._engine, page), began)
                await asyncio.sleep(_EVERY_SECONDS)
            else:
                await asyncio.sleep(_LOOK_SECONDS)
