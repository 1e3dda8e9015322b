"""The pipe as a whole: it listens, looks at the times, and closes."""

import asyncio
import contextlib
import time

from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.pipe.client import ClientConnection
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.plumbing import Plumbing
from stoker_runtime.agent.pipe.pool import Pool
from stoker_runtime.agent.pipe.upstream import Upstream, connector
from stoker_runtime.agent.tally import Tally

_BACKLOG = 4096  # a fleet's clients reconnect all at once


class Pipe:
    """Of one serving port to one engine."""

    def __init__(self, server: asyncio.Server, plumbing: Plumbing) -> None:
        self._server = server
        self._plumbing = plumbing
        self._sweeping = asyncio.get_running_loop().call_later(plumbing.limits.sweep_seconds, self._sweep)

    @property
    def port(self) -> int:
        """Where it listens, which is of interest where it was told to choose."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        return len(self._plumbing.clients)

    async def close(self, grace_seconds: float) -> None:
        """No new connection; what runs has the grace to end, and is cut then."""
        plumbing = self._plumbing
        plumbing.closing = True
        self._server.close()
        for client in list(plumbing.clients):
            if client.is_idle:
                client.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_seconds):
                await plumbing.nobody.wait()
        for client in list(plumbing.clients):
            client.abort()
        await plumbing.nobody.wait()
        self._sweeping.cancel()
        await plumbing.pool.close()

    def _sweep(self) -> None:
        plumbing = self._plumbing
        now = plumbing.clock()
        for client in list(plumbing.clients):
            client.look_at_times(now)
        plumbing.pool.close_old()
        self._sweeping = asyncio.get_running_loop().call_later(plumbing.limits.sweep_seconds, self._sweep)


async def open_pipe(listen: tuple[str, int], upstream: Upstream, gate: Gate, tally: Tally, limits: Limits) -> Pipe:
    """Listen, and pass on what comes as long as the gate lets it in."""
    clock = time.monotonic
    plumbing = Plumbing(
        gate, tally, limits, Pool(connector(upstream), limits, clock), clock, told_host=upstream.told_host
    )
    host, port = listen
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: ClientConnection(plumbing), host, port, backlog=_BACKLOG)
    return Pipe(server, plumbing)
