"""The server: its routes, and its life from loading to drained."""

import asyncio
import enum
import os
import resource
from collections.abc import Callable

from stoker_runtime.simulated.answers import AnswerRules
from stoker_runtime.simulated.api_errors import ApiError, unavailable
from stoker_runtime.simulated.api_requests import Limits
from stoker_runtime.simulated.connection import Connection, Connections, Exchange
from stoker_runtime.simulated.engine import Engine
from stoker_runtime.simulated.faults import Injector
from stoker_runtime.simulated.metrics import Metrics
from stoker_runtime.simulated.openai_api import OpenAiApi
from stoker_runtime.simulated.operations import Operations
from stoker_runtime.simulated.settings import Settings

_FLUSH_SECONDS = 2.0


class Phase(enum.Enum):
    LOADING = "loading"
    SERVING = "serving"
    DRAINING = "draining"


class SimulatedServer:
    """Needs a running event loop."""

    def __init__(self, settings: Settings, leave: Callable[[int], object] = os._exit) -> None:
        self._settings = settings
        self._phase = Phase.LOADING
        self._connections = Connections()
        self._injector = Injector(settings.faults, leave)
        metrics = Metrics(settings.served_model_name, settings.context_length)
        self._engine = Engine(settings.replica, metrics, self._injector)
        limits = Limits(settings.served_model_name, settings.context_length)
        rules = AnswerRules(settings.context_length, settings.answer_tokens, settings.seed)
        api = OpenAiApi(self._engine, limits, rules, self._injector)
        self._operations = Operations(settings, self._engine, metrics, self._injector)
        self._tasks: list[asyncio.Task[None]] = []
        self._routes = api.routes() | self._operations.routes()

    async def start(self) -> int:
        """Listens from here on, and returns the port. The model is not loaded yet."""
        _take_all_file_descriptors()
        loop = asyncio.get_running_loop()
        settings = self._settings
        # IPv4 and IPv6 would each get a port of their own.
        host = settings.host if settings.port else settings.host or "127.0.0.1"
        server = await loop.create_server(
            lambda: Connection(self._handle, self._connections), host, settings.port, backlog=4096
        )
        self._listener = server
        self._tasks = [loop.create_task(self._come_up()), loop.create_task(self._engine.run())]
        return int(server.sockets[0].getsockname()[1])

    async def drain(self) -> None:
        """Nothing new; what runs has the time of --shutdown-timeout, then its streams end early but properly."""
        self._phase = Phase.DRAINING
        try:
            async with asyncio.timeout(self._settings.shutdown_timeout):
                await self._engine.until(lambda: not self._engine.running and not self._engine.waiting)
        except TimeoutError:
            self._engine.abort_all()
        # The last chunks are written by the requests' own tasks.
        if tasks := self._connections.tasks():
            await asyncio.wait(tasks, timeout=_FLUSH_SECONDS)

    async def stop(self) -> None:
        self._listener.close()
        await self._connections.close(_FLUSH_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _come_up(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (wait := self._load_seconds() - (loop.time() - began)) > 0:
            self._operations.faults_changed.clear()
            try:
                await asyncio.wait_for(
                    self._operations.faults_changed.wait(), None if self._injector.faults.never_ready else wait
                )
            except TimeoutError:
                continue
        self._injector.without_tokens()
        if self._phase is Phase.LOADING:
            self._phase = Phase.SERVING
            print("ready", flush=True)

    def _load_seconds(self) -> float:
        faults = self._injector.faults
        return float("inf") if faults.never_ready else self._settings.start_seconds + faults.slow_start_seconds

    async def _handle(self, exchange: Exchange) -> None:
        request = exchange.request
        handler = self._routes.get((request.method, request.path))
        try:
            if handler is None:
                known = any(path == request.path for _, path in self._routes)
                exchange.answer_json(405 if known else 404, {"detail": "Method Not Allowed" if known else "Not Found"})
                return
            self._check_phase(request.path)
            await handler(exchange)
        except ApiError as error:
            headers = {}
            if error.status == 503:
                # Pooled connections must not bring the client back here.
                exchange.keep_alive = False
                headers["retry-after"] = "1"
            exchange.answer_json(error.status, error.body, headers)

    def _check_phase(self, path: str) -> None:
        if path in {"/faults", "/version"}:
            return
        if self._phase is Phase.LOADING:
            raise unavailable("The model is being loaded.")
        if self._phase is Phase.DRAINING and path.startswith("/v1/"):
            raise unavailable("The server is shutting down.")


def _take_all_file_descriptors() -> None:
    """Thousands of clients need more than the usual 1,024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
