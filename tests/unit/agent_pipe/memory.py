"""Connections without sockets: bytes arrive in exactly the pieces that a test says, and time is what it says."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.pipe.client import ClientConnection
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.plumbing import Plumbing
from stoker_runtime.agent.pipe.pool import Pool
from stoker_runtime.agent.tally import Tally


class Wire(asyncio.Transport):
    """Keeps what is written until the test takes it."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.sent = bytearray()
        self._reading = True
        self.ended = False  # nothing more is written
        self.gone = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "written behind the end"
        if not self.gone:
            self.sent += data

    def pause_reading(self) -> None:
        assert self._reading
        self._reading = False

    def resume_reading(self) -> None:
        assert not self._reading
        self._reading = True

    def is_reading(self) -> bool:
        return self._reading

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.gone

    def close(self) -> None:
        if not self.gone:
            self.gone = True
            asyncio.get_running_loop().call_soon(self._lose, None)

    def abort(self) -> None:
        self.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - asyncio's signature
        return default

    def arrives(self, data: bytes) -> None:
        if not self.gone:
            self.protocol.data_received(data)

    def is_lost(self, error: Exception | None = None) -> None:
        if not self.gone:
            self.gone = True
            self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        """As those of sockets do: who has lost its connection is not kept by it."""
        protocol, self.protocol = self.protocol, asyncio.Protocol()
        protocol.connection_lost(error)

    def taken(self) -> bytes:
        data = bytes(self.sent)
        self.sent.clear()
        return data


@dataclass
class Bench:
    """A pipe's inside. `engines` are the wires to the engine, in the order they were connected."""

    limits: Limits = field(default_factory=Limits)
    now_seconds: float = 1000.0
    engines: list[Wire] = field(default_factory=list)
    unreachable: OSError | None = None
    never_connects: bool = False
    drops_connections: bool = False

    def __post_init__(self) -> None:
        self.gate, self.tally = Gate(), Tally()
        pool = Pool(self._connect, self.limits, lambda: self.now_seconds)
        self.plumbing = Plumbing(self.gate, self.tally, self.limits, pool, lambda: self.now_seconds)

    async def _connect(self, made: Callable[[], asyncio.Protocol]) -> None:
        if self.unreachable is not None:
            raise self.unreachable
        if self.never_connects:
            await asyncio.Event().wait()
        self.engines.append(connected(made()))
        if self.drops_connections:
            self.engines[-1].is_lost()

    def client(self) -> Wire:
        return connected(ClientConnection(self.plumbing))

    def later(self, seconds: float) -> None:
        self.now_seconds += seconds
        for client in list(self.plumbing.clients):
            client.look_at_times(self.now_seconds)
        self.plumbing.pool.close_old()


def connected(protocol: asyncio.Protocol) -> Wire:
    wire = Wire(protocol)
    protocol.connection_made(wire)
    return wire


async def settled() -> None:
    """Whatever was to be called soon has been."""
    for _ in range(8):
        await asyncio.sleep(0)
