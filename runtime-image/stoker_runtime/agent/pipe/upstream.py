"""Where the engine listens, and the way there."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TcpUpstream:
    port: int
    host: str = "127.0.0.1"
    told_host: str | None = None  # as Host, instead of the client's: Ollama on loopback refuses names it does not know

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class SocketUpstream:
    path: Path
    told_host: str | None = None

    def __str__(self) -> str:
        return str(self.path)


Upstream = TcpUpstream | SocketUpstream
Connector = Callable[[Callable[[], asyncio.Protocol]], Awaitable[object]]


def connector(upstream: Upstream) -> Connector:
    """Connects the protocol that it is given a way to make."""

    async def connect(made: Callable[[], asyncio.Protocol]) -> object:
        loop = asyncio.get_running_loop()
        if isinstance(upstream, TcpUpstream):
            return await loop.create_connection(made, upstream.host, upstream.port)
        return await loop.create_unix_connection(made, str(upstream.path))

    return connect
