"""The operator without its process: its own reconciler, queue and picture, on a connection that can be made to fail.

It is started and thrown away like a process that is killed: nothing of one survives into the next.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from kubernetes.aio.client import Configuration as Credentials

from stoker.api.configuration import Configuration
from stoker.engines import PROFILES
from stoker.handlers.reconciler import Reconciler, Setting
from stoker.kube import resources
from stoker.kube.children import Children
from stoker.kube.connection import ApiError, Connection, Json, Query
from stoker.kube.models import Models
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import Key
from stoker.kube.work_queue import WorkQueue

NAMESPACE = "default"
LAST_TURNS_SECONDS = 0.2


class KilledError(BaseException):
    """The process ends here."""


class Line:
    """Counts the writes of an operator, and kills it when one of them is done, whatever the answer is."""

    def __init__(self, kill_at: float = math.inf) -> None:
        self.writes: list[str] = []
        self.killed = asyncio.Event()
        self.kill_at = kill_at
        self.most_at_once = 0
        self._under_way = 0

    def before(self, what: str) -> None:
        self._ends_what_is_dead()
        self.writes.append(what)
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)

    def afterwards(self) -> None:
        self._under_way -= 1
        if len(self.writes) > self.kill_at:
            self.killed.set()
        self._ends_what_is_dead()

    def _ends_what_is_dead(self) -> None:
        if self.killed.is_set():
            raise KilledError


class CountedConnection(Connection):
    """Every write goes through a line."""

    line: Line

    async def _ask(self, method: str, path: str, query: Query | None, *more: Any) -> Json:
        if method == "GET":
            return await super()._ask(method, path, query, *more)
        # Events are no promise to anybody.
        if path.endswith("/events"):
            return {}
        self.line.before(f"{method} {path}")
        try:
            answer = await super()._ask(method, path, query, *more)
        except ApiError:
            self.line.afterwards()
            raise
        self.line.afterwards()
        return answer


# Nobody sends requests here, so a replica that is ready has nothing more to prove.
IN_A_HURRY = Configuration.model_validate({"rollouts": {"provingSeconds": 0}}, strict=False)


class OperatorUnderTest:
    def __init__(
        self,
        connection: CountedConnection,
        configuration: Configuration,
        version: str,
        namespace: str,
        *,
        has_groups: bool,
    ) -> None:
        self.line = connection.line
        self.models = Models()
        self.queue: WorkQueue[Key] = WorkQueue(self._look, workers=4)
        self.children = Children(connection, (namespace,), self.queue.add, with_groups=has_groups)
        self._watch = Reflector(
            connection, Scope(resources.MODEL_DEPLOYMENTS, namespace), lambda item: item, self._model_changed
        )
        setting = Setting(configuration, PROFILES, version, "test", has_leader_worker_sets=has_groups)
        self._reconciler = Reconciler(
            connection, self.models, self.children, setting, lambda: True, wake=self.queue.add
        )

    async def _look(self, key: Key) -> float | None:
        return (await self._reconciler.look(key)).again_seconds

    def _model_changed(self, key: Key, _old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
        if new is None:
            self.models.remove(key)
        elif not self.models.put(new):
            return
        self.queue.add(key)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.children.run())
            group.create_task(self._watch.run())
            await self.children.wait_until_synced()
            await self._watch.wait_until_synced()
            group.create_task(self.queue.run())


@asynccontextmanager
async def operator(
    credentials: Callable[[], Credentials],
    line: Line | None = None,
    configuration: Configuration | None = None,
    version: str = "1.0.0",
    namespace: str = NAMESPACE,
    *,
    has_groups: bool = False,
    kind: type[CountedConnection] = CountedConnection,
) -> AsyncIterator[OperatorUnderTest]:
    try:
        async with kind.open(credentials()) as connection:
            connection.line = line or Line()
            made = OperatorUnderTest(connection, configuration or IN_A_HURRY, version, namespace, has_groups=has_groups)
            task = asyncio.create_task(made.run())
            try:
                yield made
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError, KilledError, BaseExceptionGroup):
                    await task
    finally:
        # A connection that was being made when its task ended closes itself some turns of the loop later.
        await asyncio.sleep(LAST_TURNS_SECONDS)
