"""The operator process: stand by, lead, leave.

While another leads, this process holds no watches. A leader runs kopf for the ModelDeployments, reflectors for
everything below them, and the work queue; when leadership is lost, the process ends, and its successor begins with a
fresh picture.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import kopf
from kubernetes.aio.client import Configuration as Credentials

from stoker.agents.orders import Orders
from stoker.api.configuration import Capacity, Configuration
from stoker.core.control_token import ControlKey
from stoker.engines import PROFILES
from stoker.handlers.health import LONGEST_SILENCE_SECONDS, Health, serve_health
from stoker.handlers.load_sources import signals_from
from stoker.handlers.metering import Metering, Picture, Telemetry, prices_of
from stoker.handlers.reconciler import Reconciler, Setting
from stoker.handlers.scaler import Scaler
from stoker.handlers.watching import Sweep, quiet_settings, registry_for
from stoker.kube import resources
from stoker.kube.backoff import Backoff
from stoker.kube.children import Children
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.freeze import Freeze
from stoker.kube.leadership import Leadership, LeadershipLostError, LeaseServer
from stoker.kube.lease import ElectionSettings, new_identity
from stoker.kube.models import Models
from stoker.kube.surroundings import Surroundings
from stoker.kube.work_queue import WorkQueue
from stoker.telemetry.log_context import looks_at
from stoker.telemetry.meter import Meter

logger = logging.getLogger(__name__)

# Writes must end before another may lead, and the loop must find the time to notice.
REQUEST_TIMEOUT_SECONDS = 4.0


@dataclass(frozen=True)
class Place:
    """Where and as whom the operator runs."""

    credentials: Callable[[], Awaitable[Credentials]]
    namespace: str
    pod_name: str
    version: str
    control_key: ControlKey | None = None  # None: agents take no orders


@dataclass(frozen=True)
class _Process:
    configuration: Configuration
    place: Place
    identity: str
    health: Health
    stopping: asyncio.Event
    telemetry: Telemetry


async def run_operator(configuration: Configuration, place: Place) -> int:
    """The exit code: 0 when it was asked to stop, 1 when leadership was lost."""
    identity = new_identity(place.pod_name)
    health = Health()
    stopping = asyncio.Event()
    telemetry = Telemetry(place.version)
    _stop_on_signals(stopping)
    async with serve_health(health, configuration.probes.port, telemetry.scrape.text) as port:
        logger.info("stoker %s, %s: health on port %d", place.version, identity, port)
        election, lease = _election(configuration, place, identity), lambda: _lease_server(place, telemetry)
        async with Leadership(election, lease) as leadership:
            health.state = "standing by"
            try:
                if await _first_of(leadership.wait_until_held(), stopping.wait()) == 1:
                    return 0
                await _lead(_Process(configuration, place, identity, health, stopping, telemetry), leadership)
            except LeadershipLostError as lost:
                logger.warning("leaving: %s", lost)
                return 1
            return 0


def _stop_on_signals(stopping: asyncio.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)


async def _first_of(*waits: Coroutine[Any, Any, Any]) -> int:
    """Which of them ended first; the others are cancelled. What it raised is raised."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = next(index for index, task in enumerate(tasks) if task in done)
        await tasks[first]
        return first
    finally:
        for task in tasks:
            task.cancel()
        # To await the one that failed once more would take its traceback away.
        await asyncio.gather(*tasks, return_exceptions=True)


async def _end_of(task: asyncio.Task[Any]) -> None:
    """Waits without taking the task along when the wait is cancelled."""
    await asyncio.wait([task])
    if task.cancelled():
        raise RuntimeError("the watch of ModelDeployments ended")
    task.result()


def _election(configuration: Configuration, place: Place, identity: str) -> ElectionSettings:
    settings = configuration.leadership
    gap_seconds = settings.lease_seconds - settings.renew_deadline_seconds
    return ElectionSettings(
        namespace=place.namespace,
        name=settings.lease_name,
        identity=identity,
        lease_seconds=settings.lease_seconds,
        renew_deadline_seconds=settings.renew_deadline_seconds,
        retry_seconds=settings.retry_seconds,
        request_timeout_seconds=min(3.0, gap_seconds * 0.6),
    )


@asynccontextmanager
async def _lease_server(place: Place, telemetry: Telemetry) -> AsyncIterator[LeaseServer]:
    """Opened in the election's own thread, so with credentials of its own."""
    async with Connection.open(await place.credentials(), told=telemetry.operator.called) as connection:
        yield connection


async def _lead(process: _Process, leadership: Leadership) -> None:
    configuration, place, health = process.configuration, process.place, process.health
    logger.info("leading: reading the cluster")
    opened: AbstractAsyncContextManager[Connection] = Connection.open(
        await place.credentials(),
        request_timeout_seconds=REQUEST_TIMEOUT_SECONDS,
        told=process.telemetry.operator.called,
    )
    async with opened as connection:
        asked = asyncio.create_task(has_leader_worker_sets(connection, configuration.watch.namespaces))
        if await _first_of(_end_of(asked), *_ends(process, leadership)) != 0:
            asked.cancel()
            _require(leadership)
            return
        setting = Setting(configuration, PROFILES, place.version, process.identity, asked.result(), place.control_key)
        office = _Office(connection, setting, leadership, process)
        health.checks += office.checks()
        health.state = "reading the cluster"
        watches = asyncio.Event()
        watching = asyncio.create_task(
            kopf.operator(
                registry=registry_for(office.models, office.queue.add, place.credentials),
                settings=quiet_settings(),
                standalone=True,
                clusterwide=not configuration.watch.namespaces,
                namespaces=configuration.watch.namespaces,
                ready_flag=watches,
            )
        )
        try:
            await _first_of(watches.wait(), _end_of(watching), *_ends(process, leadership))
            # kopf took them for itself, and would take seconds to end before anything else does.
            _stop_on_signals(process.stopping)
            await _first_of(
                *_ends(process, leadership),
                _end_of(watching),
                office.run(health),
                office.children.run(),
                office.freeze.run(),
                office.signals.run(),
                office.surroundings.run(),
                office.scaler.run(),
                office.metering.run(),
            )
            _require(leadership)
        finally:
            logger.info("stopping")
            if office.orders:
                await office.orders.close()
            # It writes nothing and takes seconds to end, which the next leader need not wait for.
            watching.cancel()


def _ends(process: _Process, leadership: Leadership) -> tuple[Coroutine[Any, Any, Any], ...]:
    """Whatever a leader waits for, it may have to go before that comes."""
    return process.stopping.wait(), leadership.wait_until_lost()


def _require(leadership: Leadership) -> None:
    if not leadership.held():
        raise LeadershipLostError("the lease was lost")


class _Office:
    """Everything that a leader works with."""

    def __init__(self, connection: Connection, setting: Setting, leadership: Leadership, process: _Process) -> None:
        namespaces = setting.configuration.watch.namespaces
        self.models = Models()
        self._connection = connection
        self._namespaces = namespaces or ("",)
        self.queue: WorkQueue[resources.Key] = WorkQueue(self._look, setting.configuration.reconciling.workers)
        self.children = Children(
            connection, namespaces, self.queue.add, with_groups=bool(setting.has_leader_worker_sets)
        )
        self._sweep = Sweep(connection, self.models, namespaces, self.queue.add)
        self.signals = signals_from(setting.configuration.signals)
        self._telemetry = process.telemetry
        by_nodes = setting.configuration.scaling.capacity == Capacity.NODES
        self.surroundings = Surroundings(connection, namespaces, with_holders=by_nodes)
        meter: Meter[resources.Key] = Meter(prices_of(setting.configuration))
        self.freeze = Freeze(connection, process.place.namespace, self._look_at_all)
        self.scaler = Scaler(
            self.models,
            self.children,
            self.signals,
            setting.configuration,
            self.queue.add,
            surroundings=self.surroundings,
            frozen=lambda: bool(self.freeze.reason),
            decided=meter.decided,
        )
        self.metering = Metering(
            Picture(self.models, self.children, self.signals, self.scaler, self.queue), setting.configuration, meter
        )
        key = setting.control_key
        self.orders = Orders(key, lambda model: self.queue.add(resources.Key(*model))) if key else None
        self._reconciler = Reconciler(
            connection,
            self.models,
            self.children,
            setting,
            leadership.held,
            self.scaler,
            self.orders,
            self.freeze,
            meter.replaced,
            self.queue.add,
        )

    def _look_at_all(self) -> None:
        for key in self.models:
            self.queue.add(key)

    async def _look(self, key: resources.Key) -> float | None:
        looks_at(key.namespace, key.name)
        with self._telemetry.operator.looking() as look:
            looked = await self._reconciler.look(key)
            if looked.moved_on:
                look.outcome = "moved_on"
            return looked.again_seconds

    def checks(self) -> list[Callable[[], str | None]]:
        def silence() -> str | None:
            seconds = self.children.silence_seconds()
            return f"a watch has said nothing for {seconds:.0f} s" if seconds > LONGEST_SILENCE_SECONDS else None

        def sweep() -> str | None:
            return "the watch of ModelDeployments lags behind" if self._sweep.watch_is_dead else None

        return [silence, sweep]

    async def run(self, health: Health) -> None:
        began = asyncio.get_running_loop().time()
        await self._read_models()
        await self.children.wait_until_synced()
        await self.freeze.wait_for_the_first_look()
        self._look_at_all()
        health.state = "leading"
        self._telemetry.leads(self.metering.page)
        logger.info("leading: read %d models and %d pods", len(self.models), len(self.children.pods))
        helpers = [
            asyncio.create_task(self._sweep.run()),
            asyncio.create_task(self._tell_when_idle(began)),
        ]
        try:
            await self.queue.run()
        except asyncio.CancelledError:
            # What is being written is written to its end.
            self.queue.stop()
            raise
        finally:
            for helper in helpers:
                helper.cancel()

    async def _read_models(self) -> None:
        """kopf does not tell when it has listed them all, and with half of them a look would not be wrong but late."""
        backoff = Backoff()
        for namespace in self._namespaces:
            while True:
                try:
                    await self._connection.each(resources.MODEL_DEPLOYMENTS.collection(namespace), self.models.put)
                    break
                except (ApiError, ApiUnreachableError) as failed:
                    logger.warning("reading ModelDeployments: %s", failed)
                    await asyncio.sleep(backoff.next_seconds())

    async def _tell_when_idle(self, began: float) -> None:
        await self.queue.wait_until_idle()
        seconds = asyncio.get_running_loop().time() - began
        logger.info("caught up with %d models in %.2f s", len(self.models), seconds)


async def has_leader_worker_sets(connection: Connection, namespaces: tuple[str, ...]) -> bool | None:
    """Whether they can be listed wherever there are models, for a watch that is refused would hold up all others. None:
    they cannot, or nobody can tell."""
    backoff = Backoff()
    for namespace in namespaces or ("",):
        while True:
            try:
                await connection.get(resources.LEADER_WORKER_SETS.collection(namespace), {"limit": "1"})
                break
            except ApiError as refused:
                if not refused.passing:
                    return False if refused.status == 404 else None
                logger.warning("looking for LeaderWorkerSets: %s", refused)
            except ApiUnreachableError as failed:
                logger.warning("looking for LeaderWorkerSets: %s", failed)
            await asyncio.sleep(backoff.next_seconds())
    return True
