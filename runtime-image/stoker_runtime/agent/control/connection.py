"""One connection to the control port."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import cast

from stoker_runtime.agent.control.requests import (
    MOST_HEAD_BYTES,
    Answer,
    KnownRequests,
    Request,
    UnreadableError,
    parsed,
)
from stoker_runtime.agent.interpreter import RIGHT_OF_WAY

_END = b"\r\n\r\n"
_MOST_AHEAD_BYTES = 65_536  # of requests that came while an answer is awaited

Answering = Callable[[Request], Answer | Awaitable[Answer]]


def refusal(status: int, sentence: str, **headers: str) -> Answer:
    return Answer(status, json.dumps({"error": sentence}).encode(), headers=headers)


class ControlConnection(asyncio.Protocol):
    """Answers in the order of the requests, one at a time."""

    def __init__(
        self,
        answering: Answering,
        known: KnownRequests,
        connections: set["ControlConnection"],
        now: Callable[[], float],
    ) -> None:
        self._answering = answering
        self._connections = connections
        self._now = now
        self._buffer = bytearray()
        self._known = known
        self._socket = -1
        self._transport: asyncio.Transport | None = None
        self._awaited: asyncio.Task[None] | None = None
        self.last_heard_seconds = now()

    @property
    def is_waiting_for_us(self) -> bool:
        return self._awaited is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods and not the class.
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket").fileno()
        self._connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._connections.discard(self)
        self._transport = None
        if self._awaited is not None:
            self._awaited.cancel()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        with RIGHT_OF_WAY:
            self._hear(data)

    def _hear(self, data: bytes) -> None:
        self.last_heard_seconds = self._now()
        if not self._buffer and self._awaited is None and (request := self._known.get(data)):
            self._answer(request)
            return
        self._buffer += data
        self._go_on()
        if len(self._buffer) > _MOST_AHEAD_BYTES:
            self.close()

    def _go_on(self) -> None:
        while self._transport is not None and not self._transport.is_closing() and self._awaited is None:
            try:
                request = self._next()
            except UnreadableError as error:
                self._write(refusal(error.status, str(error)), keep_alive=False)
                return
            if request is None:
                return
            self._answer(request)

    def _answer(self, request: Request) -> None:
        answer = self._answering(request)
        if isinstance(answer, Answer):
            self._write(answer, keep_alive=request.keep_alive)
        else:
            self._awaited = asyncio.get_running_loop().create_task(self._finish(answer, request.keep_alive))

    def _next(self) -> Request | None:
        end = self._buffer.find(_END, 0, MOST_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= MOST_HEAD_BYTES:
                raise UnreadableError(431, f"A head here has at most {MOST_HEAD_BYTES} bytes.")
            return None
        request = parsed(bytes(self._buffer[:end]))
        whole = end + len(_END) + request.body_bytes
        if len(self._buffer) < whole:
            return None
        self._known.keep(bytes(self._buffer[:whole]), request)
        # What a body says is of no interest here: the verbs have their arguments in the query.
        del self._buffer[:whole]
        return request

    async def _finish(self, awaited: Awaitable[Answer], keep_alive: bool) -> None:
        answer = await awaited
        self._awaited = None
        self._write(answer, keep_alive=keep_alive)
        self._go_on()

    def _write(self, answer: Answer, *, keep_alive: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        data = answer.to_bytes(keep_alive=keep_alive)
        # Past the loop's queue, where nothing waits in it: the loop would first wait for the interpreter once more.
        written = 0 if transport.get_write_buffer_size() else _written_at_once(self._socket, data)
        if written < len(data):
            transport.write(data[written:])
        if not keep_alive:
            transport.close()


def _written_at_once(handle: int, data: bytes) -> int:
    try:
        return os.write(handle, data)
    except OSError:
        return 0  # it is found once more, and handled, by the transport
