"""A connection to the engine: one exchange at a time, or waiting in the pool for the next."""

import asyncio
import fcntl
import select
import sys
import termios
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from stoker_runtime.agent.interpreter import RIGHT_OF_WAY
from stoker_runtime.agent.pipe.reading import Reading

if TYPE_CHECKING:
    from stoker_runtime.agent.pipe.exchange import Exchange

_FOR_CLIENT = "the client does not take what is there"


class EngineConnection(asyncio.Protocol):
    __slots__ = (
        "_high_water_bytes",
        "_lost_idle",
        "_reading",
        "_transport",
        "exchange",
        "idle_since",
        "reused",
        "write_paused",
    )

    def __init__(self, lost_idle: "Callable[[EngineConnection], None]", high_water_bytes: int) -> None:
        self._lost_idle = lost_idle
        self._high_water_bytes = high_water_bytes
        self.exchange: Exchange | None = None
        self.reused = False
        self.idle_since = 0.0
        self.write_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._reading = Reading(self._transport)
        self._transport.set_write_buffer_limits(self._high_water_bytes)

    @property
    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        RIGHT_OF_WAY.give()
        if self.exchange is not None:
            self.exchange.answer_bytes(data)
        else:
            self._transport.abort()  # an answer to nothing

    def eof_received(self) -> None:
        # At once: a transport that closes by itself first waits until the engine took the rest of the request.
        self._lost(None)
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)

    def pause_writing(self) -> None:
        self.write_paused = True
        if self.exchange is not None:
            self.exchange.pause_request()

    def resume_writing(self) -> None:
        self.write_paused = False
        if self.exchange is not None:
            self.exchange.resume_request()

    def pause_answer(self) -> None:
        self._reading.pause(_FOR_CLIENT)

    def resume_answer(self) -> None:
        self._reading.resume(_FOR_CLIENT)

    def abort(self) -> None:
        """What an engine notices as its client having left."""
        self.exchange = None
        self._transport.abort()

    def is_stale(self) -> bool:
        """Whether the engine closed it, or said something unasked, since it was used last."""
        if self.is_closing:
            return True
        connection = self._transport.get_extra_info("socket")
        if connection is None:
            return False
        if connection.fileno() < 0:
            return True
        # The loop may not have come to see it yet; a request written now would be lost.
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(0))

    def _lost(self, error: Exception | None) -> None:
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            exchange.engine_lost(clean=error is None, unread=self._is_unread(error))
        else:
            self._lost_idle(self)

    def _is_unread(self, error: Exception | None) -> bool:
        """Whether the engine certainly did not read all that was written.

        Linux resets a connection that is closed with unread bytes, or written to after that. Where all was read it
        ends it, also when the process dies, and that end confirms what came before it.
        """
        if isinstance(error, ConnectionError):
            return True
        connection = self._transport.get_extra_info("socket")
        if connection is None or connection.fileno() < 0:
            return False
        try:
            unconfirmed = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            return False  # not known here, so not certain
        return int.from_bytes(unconfirmed, sys.byteorder) > 0
