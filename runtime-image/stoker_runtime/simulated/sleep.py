"""vLLM's sleep mode: requests that come while the engine sleeps wait until it is awake."""

import asyncio

from stoker_runtime.simulated.engine import Engine

MODES = ("abort", "wait", "keep")
_MEMORY = frozenset({"weights", "kv_cache"})
_SCHEDULING = "scheduling"


class Sleep:
    def __init__(self, engine: Engine, sleep_seconds: float, wake_seconds: float) -> None:
        self._engine = engine
        self._sleep_seconds = sleep_seconds
        self._wake_seconds = wake_seconds
        self._away: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()
        self.asleep = False
        self.level = 0  # of memory given up, 0 while it is all there

    async def sleep(self, level: int, mode: str) -> None:
        async with self._turn:
            self.asleep = True
            self._engine.pause(frozen=mode == "keep")
            if mode == "abort":
                self._engine.abort_all()
            elif mode == "wait":
                await self._engine.until(lambda: self._engine.running == 0)
            if level:
                await asyncio.sleep(self._sleep_seconds)
                self._away = _MEMORY
                self.level = level
                self._engine.garbled |= level > 1

    def reload_weights(self) -> None:
        """Waking gives level 2 its memory back, and not what stood there."""
        if "weights" not in self._away:
            self._engine.garbled = False

    async def wake(self, tags: list[str] | None) -> bool:
        """Whether all of it is awake: vLLM lets weights and KV cache wake one after the other."""
        async with self._turn:
            wanted = _MEMORY if tags is None else frozenset(tags) - {_SCHEDULING}
            if self._away & wanted:
                await asyncio.sleep(self._wake_seconds)
                self._away -= wanted
            if self._away:
                return False
            self.level = 0
            self.asleep = False
            self._engine.resume()
            return True
