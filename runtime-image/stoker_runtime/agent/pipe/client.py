"""A client's connection: one request after the other, each read when the one before it is answered."""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import cast

from stoker_runtime.agent.framing.heads import head_end
from stoker_runtime.agent.framing.requests import RequestHead, read_request_head
from stoker_runtime.agent.framing.unreadable import UnreadableError
from stoker_runtime.agent.interpreter import RIGHT_OF_WAY
from stoker_runtime.agent.pipe.exchange import Exchange
from stoker_runtime.agent.pipe.plumbing import Plumbing
from stoker_runtime.agent.pipe.reading import Reading
from stoker_runtime.agent.pipe.refusals import REFUSING, Refusal, refusal_of
from stoker_runtime.agent.tally import Outcome

_FOR_ENGINE = "the engine does not take what is there"
_FOR_ANSWER = "requests came ahead of an answer"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time


class ClientConnection(asyncio.Protocol):
    __slots__ = (
        "_buffer",
        "_exchange",
        "_lingers",
        "_looked_at",
        "_opened",
        "_plumbing",
        "_reading",
        "_since",
        "_transport",
        "write_paused",
    )

    def __init__(self, plumbing: Plumbing) -> None:
        self._plumbing = plumbing
        self._buffer = bytearray()  # behind the request that runs
        self._looked_at = 0  # of the buffer, for the end of a head
        self._exchange: Exchange | None = None
        self._lingers = False  # nothing more is read, but the client may still have to see the answer
        self._opened = plumbing.clock()
        self._since = self._opened  # of whatever the client is waited for
        self.write_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self._reading = Reading(self._transport)
        self._transport.set_write_buffer_limits(self._plumbing.limits.high_water_bytes)
        self._plumbing.add(self)

    @property
    def is_idle(self) -> bool:
        return self._exchange is None

    def data_received(self, data: bytes) -> None:
        RIGHT_OF_WAY.give()
        exchange = self._exchange
        if self._lingers:
            return
        if exchange is not None and not exchange.request_ended:
            self._since = self._plumbing.clock()
            self._feed(exchange, data)
            return
        if not self._buffer:
            self._since = self._plumbing.clock()
        self._buffer += data
        if exchange is None:
            self._advance()
        elif len(self._buffer) > self._plumbing.limits.head_bytes:
            self._reading.pause(_FOR_ANSWER)

    def eof_received(self) -> None:
        """A client that says no more is taken as one that left, as other servers do."""
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._leave()
        self._plumbing.discard(self)

    def pause_writing(self) -> None:
        self.write_paused = True
        self._since = self._plumbing.clock()
        if self._exchange is not None:
            self._exchange.pause_answer()

    def resume_writing(self) -> None:
        self.write_paused = False
        self._since = self._plumbing.clock()
        if self._exchange is not None:
            self._exchange.resume_answer()
        else:
            self._advance()

    def pause_request(self) -> None:
        self._reading.pause(_FOR_ENGINE)

    def resume_request(self) -> None:
        self._since = self._plumbing.clock()
        self._reading.resume(_FOR_ENGINE)

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def exchange_ended(self, *, closes: bool) -> None:
        self._exchange = None
        self._since = self._plumbing.clock()
        if closes:
            self._linger()
            return
        self._reading.resume(_FOR_ENGINE)
        self._reading.resume(_FOR_ANSWER)
        if self._buffer:
            # Later, so that requests sent ahead do not nest.
            asyncio.get_running_loop().call_soon(self._advance)
        elif self._plumbing.closing:
            self._transport.close()

    def refuse(self, refusal: Refusal, *, with_body: bool = True) -> None:
        self._exchange = None
        self._since = self._plumbing.clock()
        self._transport.write(refusal.to_client(with_body=with_body))
        self._linger()

    def cut(self, *, reset: bool) -> None:
        """`reset` where an end of the connection would look like an end of the answer."""
        self._exchange = None
        if not reset:
            self._transport.close()
            return
        connection = self._transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):  # already lost, which is as good
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def look_at_times(self, now_seconds: float) -> None:
        """Called every now and then; whoever is waited for too long is not waited for any more."""
        limits, waited = self._plumbing.limits, now_seconds - self._since
        exchange = self._exchange
        if self.write_paused or self._transport.is_closing():
            if waited > limits.stuck_seconds:
                self._transport.abort()
        elif self._lingers:
            if waited > limits.linger_seconds:
                self._transport.close()
        elif exchange is None:
            self._look_at_head(waited)
        elif not exchange.request_ended:
            if waited > limits.body_seconds and not self._reading.paused:
                self._give_up(exchange, Refusal(408, f"no byte of the request's body for {limits.body_seconds:g} s"))
        elif (
            limits.answer_seconds is not None
            and not exchange.answer_began
            and now_seconds - exchange.began > limits.answer_seconds
        ):
            exchange.late()

    def _look_at_head(self, waited_seconds: float) -> None:
        limits = self._plumbing.limits
        if self._buffer:
            if waited_seconds > limits.head_seconds:
                self.refuse(Refusal(408, f"the request's head was not whole within {limits.head_seconds:g} s"))
        elif waited_seconds > limits.idle_seconds:
            self._transport.close()

    def _advance(self) -> None:
        """Begin the next request, if its head is there."""
        if self._exchange is not None or self._lingers or self.write_paused or self._transport.is_closing():
            return
        buffer, limits = self._buffer, self._plumbing.limits
        while buffer.startswith(b"\r\n"):
            del buffer[:2]
        try:
            end = head_end(buffer, self._looked_at, limits.head_bytes)
            self._looked_at = len(buffer)
            if end < 0:
                return
            self._looked_at = 0
            head = read_request_head(bytes(buffer[:end]), limits.header_fields)
        except UnreadableError as unreadable:
            self.refuse(Refusal(unreadable.status, str(unreadable)))
            return
        rest = bytes(buffer[end:])
        buffer.clear()
        self._begin(head, rest)

    def _begin(self, head: RequestHead, rest: bytes) -> None:
        plumbing = self._plumbing
        now = self._since = plumbing.clock()
        refusal = refusal_of(head, plumbing.gate, self._opened)
        if head.counts and (refusal is None or refusal is REFUSING):
            plumbing.gate.arrived(now)
        if refusal is not None:
            if refusal is REFUSING and head.counts:
                plumbing.tally.refused()
            self.refuse(refusal, with_body=head.method != b"HEAD")
            return
        exchange = self._exchange = Exchange(self, head, plumbing, now)
        if not rest and head.asks_first:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._feed(exchange, rest)
        if self._exchange is exchange:
            exchange.start()

    def _feed(self, exchange: Exchange, data: bytes) -> None:
        try:
            self._buffer += data if exchange.request_ended else exchange.request_bytes(data)
        except UnreadableError as unreadable:
            self._give_up(exchange, Refusal(unreadable.status, str(unreadable)))

    def _give_up(self, exchange: Exchange, refusal: Refusal) -> None:
        exchange.abandon(Outcome.REJECTED)
        if exchange.answer_began:
            self.cut(reset=True)
        else:
            self.refuse(refusal)

    def _leave(self) -> None:
        exchange, self._exchange = self._exchange, None
        self._lingers = True
        if exchange is not None:
            exchange.client_left()

    def _linger(self) -> None:
        """Say that this was all; closing at once would take the answer from a client that still sends."""
        self._lingers = True
        self._buffer.clear()
        if self._transport.is_closing():
            return
        self._reading.resume(_FOR_ENGINE)
        self._reading.resume(_FOR_ANSWER)
        if self._transport.can_write_eof():
            self._transport.write_eof()
