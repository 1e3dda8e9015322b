"""The control port's server, on an event loop and a thread of its own: a saturated pipe must not delay a probe."""

import asyncio
import socket
import threading
import time
from concurrent.futures import Future

from stoker_runtime.agent.control.connection import Answering, ControlConnection
from stoker_runtime.agent.control.exact_waits import wait_exactly
from stoker_runtime.agent.control.requests import KnownRequests
from stoker_runtime.agent.control.short_turns import take_short_turns
from stoker_runtime.agent.event_loop import new_event_loop

_MOST_CONNECTIONS = 512
_IDLE_SECONDS = 300.0
_SWEEP_SECONDS = 10.0
_BACKLOG = 256
# Most answers take less. The least that Linux has: behind the turns of others on a busy node an answer comes late.
_TURN_SECONDS = 0.0001


def bound(port: int) -> socket.socket:
    """A listening socket on every address, for IPv6 as well where there is any. Raises OSError."""
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True)
        except OSError:
            # A kernel that knows IPv6 may have it switched off; a port that is taken fails again.
            return socket.create_server(("", port), backlog=_BACKLOG)
    return socket.create_server(("", port), backlog=_BACKLOG)


class ControlServer:
    """Started and stopped once."""

    def __init__(self, listening: socket.socket, answering: Answering) -> None:
        self._listening = listening
        self._answering = answering
        self._known = KnownRequests()
        self._connections: set[ControlConnection] = set()
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.result(timeout=10)

    def stop(self) -> None:
        loop, told = self._started.result(timeout=0)
        loop.call_soon_threadsafe(told.set)
        self._thread.join(timeout=2)

    def _run(self) -> None:
        take_short_turns(_TURN_SECONDS)
        wait_exactly()
        # uvloop takes the interpreter once for a question, asyncio twice: each may be a wait for the pipe.
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connected, sock=self._listening, backlog=_BACKLOG)
        told = asyncio.Event()
        self._started.set_result((loop, told))
        sweeping = loop.create_task(self._sweep())
        await told.wait()
        sweeping.cancel()
        server.close()
        for connection in list(self._connections):
            connection.close()
        await asyncio.sleep(0.01)  # what was written last, such as the answer to a preStop hook, leaves

    def _connected(self) -> ControlConnection:
        if len(self._connections) >= _MOST_CONNECTIONS:
            self._close_idle(0.0)
        return ControlConnection(self._answering, self._known, self._connections, time.monotonic)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._close_idle(_IDLE_SECONDS)

    def _close_idle(self, seconds: float) -> None:
        now = time.monotonic()
        for connection in list(self._connections):
            if not connection.is_waiting_for_us and now - connection.last_heard_seconds >= seconds:
                connection.close()
