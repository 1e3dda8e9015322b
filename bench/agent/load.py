"""Clients: many streams that go on, and single requests whose first byte is waited for."""

import asyncio
import time
from typing import cast

_BODY = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"' + b"x" * 400 + b'"}]}'


def _request(chunks: int) -> bytes:
    head = b"POST /v1/stream/%d HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % chunks
    return head + b"Content-Length: %d\r\n\r\n" % len(_BODY) + _BODY


class Counter:
    """Chunks that arrived, of all streams."""

    def __init__(self) -> None:
        self.chunks = 0
        self.cut = 0


class EndlessStream(asyncio.Protocol):
    """Counts and does nothing else, so that the client is not what is measured."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.first = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(_request(0))

    def data_received(self, data: bytes) -> None:
        self._counter.chunks += data.count(b"\ndata: ")
        self.first.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._counter.cut += exc is not None


async def open_streams(port: int, count: int, counter: Counter) -> list[EndlessStream]:
    """All have their first chunk."""
    loop = asyncio.get_running_loop()
    streams = []
    for _ in range(count):
        _, stream = await loop.create_connection(lambda: EndlessStream(counter), "127.0.0.1", port)
        streams.append(stream)
    for stream in streams:
        await stream.first.wait()
    return streams


async def first_bytes_seconds(port: int, requests: int, pause_seconds: float) -> list[float]:
    """Of the body, for one request after the other on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = []
    for _ in range(requests):
        began = time.perf_counter()
        writer.write(_request(1))
        await reader.readuntil(b"data: ")
        found.append(time.perf_counter() - began)
        await reader.readuntil(b"0\r\n\r\n")
        await asyncio.sleep(pause_seconds)
    writer.close()
    await writer.wait_closed()
    return found
