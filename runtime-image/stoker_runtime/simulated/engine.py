"""One task drives all sequences, step by step, at the pace of the replica that is simulated."""

import asyncio
from collections.abc import Callable

from stoker_runtime.simulated.batching import Batch, Step
from stoker_runtime.simulated.faults import Faults, Injector
from stoker_runtime.simulated.generation import Generation
from stoker_runtime.simulated.metrics import Metrics
from stoker_runtime.simulated.timing import Replica


class Engine:
    def __init__(self, replica: Replica, metrics: Metrics, injector: Injector) -> None:
        self._batch: Batch[Generation] = Batch(replica)
        self._metrics = metrics
        self._injector = injector
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.Event()
        self._progress = asyncio.Event()
        self._frozen = False
        self.garbled = False  # what it has for weights is not the model

    @property
    def running(self) -> int:
        return self._batch.running

    @property
    def waiting(self) -> int:
        return self._batch.waiting

    @property
    def cache_usage(self) -> float:
        return self._batch.cache_usage

    @property
    def preemptions(self) -> int:
        return self._batch.preemptions

    def submit(self, generation: Generation) -> None:
        generation.arrived = self._loop.time()
        self._batch.add(generation)
        self._work.set()

    def cancel(self, generation: Generation) -> None:
        """The client has gone. As with vLLM, no metric counts such a request as finished."""
        if self._batch.remove(generation):
            self._progressed()

    def abort_all(self) -> None:
        """End every stream early, and say so in it."""
        now = self._loop.time()
        for generation in list(self._batch):
            self._batch.remove(generation)
            self._end(generation, now, "abort")
        self._progressed()

    def pause(self, *, frozen: bool) -> None:
        """Admit nothing more. Frozen, those that run stand still too."""
        self._batch.admits = False
        self._frozen = frozen

    def resume(self) -> None:
        self._batch.admits = True
        self._frozen = False
        self._work.set()

    def set_faults(self, faults: Faults) -> None:
        self._injector.set(faults)
        self._work.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Looks whenever a sequence has moved on or gone."""
        while not condition():
            await self._progress.wait()

    async def run(self) -> None:
        due = self._loop.time()
        while True:
            step = None if self._frozen else self._batch.plan()
            now = self._loop.time()
            if step is None:
                self._work.clear()
                await self._work.wait()
                due = self._loop.time()
                continue
            for generation, _ in step.prompts:
                if generation.admitted is None:
                    generation.admitted = now
            # From when the last step should have ended: what delivering its tokens took belongs to no step.
            due = max(due + step.seconds, now)
            await asyncio.sleep(due - now)
            while self._injector.faults.hang:
                self._work.clear()
                await self._work.wait()
                due = self._loop.time()
            self._complete(step)

    def _complete(self, step: Step[Generation]) -> None:
        now = self._loop.time()
        self._metrics.step_tokens.observe(step.tokens)
        for generation in self._batch.complete(step):
            generation.record_token(now, self._metrics)
            if generation.finished:
                self._end(generation, now, generation.reason)
            else:
                generation.receiver.token(generation.generated)
            if self._injector.counts_tokens and generation.generated:
                self._injector.token()
        self._progressed()

    def _end(self, generation: Generation, now: float, reason: str) -> None:
        generation.record_end(now, reason, self._metrics)
        generation.receiver.ended(reason)

    def _progressed(self) -> None:
        # Wakes those that wait now, and none that come later.
        self._progress.set()
        self._progress.clear()
