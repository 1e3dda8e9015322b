"""An engine of a few lines, that answers with the very bytes a test gives it, and a pipe in front of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.serving import Pipe, open_pipe
from stoker_runtime.agent.pipe.upstream import TcpUpstream
from stoker_runtime.agent.tally import Tally


@dataclass(frozen=True)
class Received:
    line: bytes
    fields: list[bytes]
    body: bytes
    trailers: list[bytes]
    connection: int  # which one it came on


Answering = Callable[[Received, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(body: bytes = b"{}", *fields: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields, b"", body]
    return b"\r\n".join(lines)


def always(*pieces: bytes, close: bool = False) -> Answering:
    async def answering(_: Received, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if close:
            writer.close()

    return answering


@dataclass
class RawEngine:
    answering: Answering
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)  # a connection ended
    serving: "set[asyncio.Task[None]]" = field(default_factory=set)

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def stop(self) -> None:
        """Once nobody is connected any more; what waits for something else is told to end."""
        if self.serving:
            await asyncio.wait(self.serving, timeout=0.2)
        for task in self.serving:
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        self.connections += 1
        try:
            while not reader.at_eof() and not writer.is_closing():
                request = await read_request(reader, number)
                self.received.append(request)
                await self.answering(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.left.set()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def read_request(reader: asyncio.StreamReader, connection: int) -> Received:
    head = await reader.readuntil(b"\r\n\r\n")
    line, *fields = head[:-4].split(b"\r\n")
    named = {name.strip().lower(): value.strip() for name, _, value in (one.partition(b":") for one in fields)}
    body, trailers = b"", []
    if b"transfer-encoding" in named:
        while size := int((await reader.readuntil(b"\r\n"))[:-2], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        while (trailer := await reader.readuntil(b"\r\n")) != b"\r\n":
            trailers.append(trailer[:-2])
    else:
        body = await reader.readexactly(int(named.get(b"content-length", b"0")))
    return Received(line, fields, body, trailers, connection)


@dataclass
class Piped:
    engine: RawEngine
    pipe: Pipe
    gate: Gate
    tally: Tally

    @property
    def port(self) -> int:
        return self.pipe.port

    async def talk(self, *pieces: bytes) -> bytes:
        """All that comes back, to the end of the connection, which the pipe has to bring about."""
        async with self.connected() as (reader, writer):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            return await reader.read()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def piped(answering: Answering, limits: Limits | None = None) -> AsyncIterator[Piped]:
    engine = RawEngine(answering)
    server = await asyncio.start_server(engine.serve, "127.0.0.1", 0)
    gate, tally = Gate(), Tally()
    upstream = TcpUpstream(server.sockets[0].getsockname()[1])
    pipe = await open_pipe(("127.0.0.1", 0), upstream, gate, tally, limits or Limits())
    try:
        async with asyncio.timeout(20):
            yield Piped(engine, pipe, gate, tally)
    finally:
        await pipe.close(1.0)
        server.close()
        await engine.stop()


async def comes_true(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what another process would see
            await asyncio.sleep(0.002)


def chunks_of(tally: Tally) -> int:
    """The first of each answer was awaited, and the others followed."""
    return tally.ttft.count + tally.itl.count


def post(body: bytes = b"{}", *fields: bytes, target: bytes = b"/v1/chat/completions") -> bytes:
    lines = [b"POST %b HTTP/1.1" % target, b"Host: model", b"Content-Length: %d" % len(body), *fields, b"", body]
    return b"\r\n".join(lines)
