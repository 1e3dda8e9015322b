"""Gives orders to agents and keeps how each was taken. Nothing here waits: a look at a model only says what should be
told, and an answer makes the model be looked at again.

One order at a time goes to a replica. A new one waits for the end of the one before it, for at most its time-out, and
makes everything that was known before unknown: an answer from before an order says nothing about after it. What is kept
is lost with the process, and asked for again by the next one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from stoker.agents.answers import Found, Taken
from stoker.agents.asking import Asking, Order, Place, ask
from stoker.core.control_token import ControlKey, Purpose
from stoker.core.plan.actions import Tell
from stoker.core.plan.snapshot import Pod
from stoker.core.pool.report import UNHEARD, Heard, Report, Verb, again_seconds

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 64
_OPENING = (Verb.OPEN, Verb.REST)
# A deaf agent may have been given another key since.
DEAF_SECONDS = 60.0


class Model(NamedTuple):
    """A ModelDeployment."""

    namespace: str
    name: str


@dataclass
class _Told:
    """What one replica was told, in one life of its containers."""

    model: Model
    restarts: int
    report: Report = UNHEARD
    first_at: float = 0.0
    due_at: float = 0.0
    task: asyncio.Task[None] | None = None
    next: Tell | None = None


class Orders:
    """`changed` is told of a model whose replica took an order differently than before."""

    def __init__(
        self,
        key: ControlKey,
        changed: Callable[[Model], None],
        asking: Asking = ask,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = key
        self._changed = changed
        self._ask = asking
        self._now = now
        self._told: dict[Model, dict[str, _Told]] = {}  # of each model, by the uid of the pod
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        self._last_number = 0

    def reports(self, model: Model, pods: Iterable[Pod]) -> Mapping[str, Report]:
        """By uid, of those that were told something since their containers began."""
        found, of_model = {}, self._told.get(model, {})
        for pod in pods:
            told = of_model.get(pod.identity.uid)
            if told and told.restarts == pod.restarts:
                found[pod.identity.uid] = replace(told.report, for_seconds=self._now() - told.first_at)
        return found

    def forget_all_but(self, model: Model, pods: Iterable[Pod]) -> None:
        of_model = self._told.get(model, {})
        for uid in of_model.keys() - {pod.identity.uid for pod in pods}:
            told = of_model.pop(uid)
            if told.task:
                told.task.cancel()
        if not of_model:
            self._told.pop(model, None)

    def give(self, tell: Tell) -> None:
        """Given again too early, it changes nothing."""
        uid, model = tell.pod.uid, Model(tell.pod.namespace, tell.model)
        of_model = self._told.setdefault(model, {})
        told = of_model.get(uid)
        if told is None or told.restarts != tell.restarts:
            if told and told.task:
                told.task.cancel()
            told = of_model[uid] = _Told(model, tell.restarts)
        if told.report.verb is not tell.verb:
            told.report = before_answer(told.report, tell.verb)
            told.first_at, told.due_at = self._now(), 0.0
        told.next = tell
        if told.task is None and self._now() >= told.due_at:
            told.task = asyncio.get_running_loop().create_task(self._carry_out(uid, told))

    async def close(self) -> None:
        tasks = [told.task for of_model in self._told.values() for told in of_model.values() if told.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, uid: str, told: _Told) -> None:
        tell: Tell | None = None
        try:
            while told.next is not None and (tell is None or told.next.verb is not tell.verb):
                tell, told.next = told.next, None
                async with self._room:
                    token = self._key.token(Purpose.CONTROL, *told.model)
                    order = Order(tell.verb, self._number(), tell.level)
                    said, seen = await self._ask(Place(tell.pod.name, tell.ip, tell.port), order, token)
                if told.report.verb is tell.verb and self._told.get(told.model, {}).get(uid) is told:
                    self._took(told, tell, said, seen)
        finally:
            told.task = None

    def _took(self, told: _Told, tell: Tell, said: Taken, seen: Found) -> None:
        before, told.report = told.report, after_answer(told.report, said, seen)
        deaf = told.report.heard is Heard.DEAF
        told.due_at = self._now() + (DEAF_SECONDS if deaf else again_seconds(told.report.failures))
        if before != told.report:
            logger.info("%s/%s: pod %s: %s: %s %s", *told.model, tell.pod.name, tell.verb, said.heard, said.sentence)
            self._changed(told.model)

    def _number(self) -> int:
        """Later ones are higher, those of a later leader too, as far as clocks agree."""
        self._last_number = max(self._last_number + 1, time.time_ns() // 1_000_000)
        return self._last_number


def before_answer(before: Report, verb: Verb) -> Report:
    """What was said before an order says nothing of the time after it."""
    return Report(
        verb=verb,
        closed=before.closed or verb is Verb.DRAIN,
        sleepless=before.sleepless,
    )


def after_answer(before: Report, said: Taken, seen: Found) -> Report:
    if said.heard is Heard.SILENT:
        return replace(before, heard=Heard.SILENT, failures=before.failures + 1)
    verb = before.verb
    sleepless = verb is Verb.SLEEP and (said.heard is Heard.UNABLE or bool(said.trouble))
    return replace(
        before,
        heard=said.heard,
        gate=seen.gate,
        asleep=seen.asleep,
        in_flight=seen.in_flight,
        failures=0,
        trouble=said.trouble or before.trouble,
        closed=before.closed and not (verb in _OPENING and said.heard is Heard.DONE),
        sleepless=before.sleepless or sleepless,
    )
