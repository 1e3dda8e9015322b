"""A client's connection: one request after the other, answers whole or streamed."""

import asyncio
import contextlib
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import cast

from stoker_runtime.simulated.http1 import Request, RequestReader, UnreadableError

_BUFFERED_AHEAD = 256 * 1024  # of requests that come before the last one is answered
JSON = "application/json"


class Exchange:
    """A request and the way to answer it."""

    __slots__ = ("_chunked", "_transport", "ended", "keep_alive", "request", "started")

    def __init__(self, request: Request, transport: asyncio.Transport) -> None:
        self.request = request
        self.keep_alive = request.keep_alive
        self.started = False
        self.ended = False
        self._chunked = request.takes_chunks
        self._transport = transport

    def answer(
        self, status: int, body: bytes = b"", content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        self.started = self.ended = True
        extra = {"content-length": str(len(body)), **(headers or {})}
        self._transport.write(self._head(status, content_type if body else "", extra) + body)

    def answer_json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        self.answer(status, json.dumps(value, separators=(",", ":")).encode(), JSON, headers)

    def begin(self, content_type: str) -> None:
        self.started = True
        if self._chunked:
            framing = {"transfer-encoding": "chunked"}
        else:
            framing = {}
            self.keep_alive = False
        self._transport.write(self._head(200, content_type, framing))

    def send(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        self.ended = True
        if self._chunked and not self._transport.is_closing():
            self._transport.write(b"0\r\n\r\n")

    def _head(self, status: int, content_type: str, headers: Mapping[str, str]) -> bytes:
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        if content_type:
            lines.append(f"content-type: {content_type}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if not self.keep_alive:
            lines.append("connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


Handler = Callable[[Exchange], Awaitable[None]]


class Connections:
    """All that are open."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._none = asyncio.Event()

    def add(self, connection: "Connection") -> None:
        self._open.add(connection)

    def discard(self, connection: "Connection") -> None:
        self._open.discard(connection)
        if not self._open:
            self._none.set()

    def tasks(self) -> list[asyncio.Task[None]]:
        return [connection.task for connection in self._open if connection.task is not None]

    async def close(self, seconds: float) -> None:
        """Each after what it still has to send; what is not sent in time is lost."""
        if not self._open:
            return
        self._none.clear()
        for connection in list(self._open):
            connection.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), seconds)


class Connection(asyncio.Protocol):
    def __init__(self, handler: Handler, connections: Connections) -> None:
        self._handler = handler
        self._connections = connections
        self._reader = RequestReader()
        self._transport: asyncio.Transport | None = None
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods and not the class.
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._connections.discard(self)
        self._transport = None
        if self.task is not None:
            self.task.cancel()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        self._advance()

    def _advance(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self.task is not None:
            if self._reader.buffered > _BUFFERED_AHEAD:
                transport.pause_reading()
            return
        try:
            request = self._reader.next()
        except UnreadableError as unreadable:
            self._refuse(transport, unreadable)
            return
        if request is not None:
            self.task = asyncio.get_running_loop().create_task(self._serve(Exchange(request, transport)))
        elif self._reader.wants_continue:
            self._reader.wants_continue = False
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _serve(self, exchange: Exchange) -> None:
        try:
            await self._handler(exchange)
        except Exception:  # noqa: BLE001 - one request must not end the others
            traceback.print_exc()
            if not exchange.started:
                exchange.keep_alive = False
                exchange.answer(500)
        finally:
            self.task = None
            self._after(exchange)

    def _after(self, exchange: Exchange) -> None:
        transport = self._transport
        if transport is None:
            return
        if not exchange.ended:
            transport.abort()
        elif not exchange.keep_alive:
            transport.close()
        else:
            transport.resume_reading()
            # Later, so that requests sent ahead do not nest.
            asyncio.get_running_loop().call_soon(self._advance)

    def _refuse(self, transport: asyncio.Transport, unreadable: UnreadableError) -> None:
        body = str(unreadable).encode()
        phrase = HTTPStatus(unreadable.status).phrase
        head = f"HTTP/1.1 {unreadable.status} {phrase}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        transport.write(head.encode() + body)
        transport.close()
