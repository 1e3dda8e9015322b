"""What all connections of a pipe share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stoker_runtime.agent.gate import Gate, GateState
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.tally import Tally

if TYPE_CHECKING:
    from stoker_runtime.agent.pipe.client import ClientConnection
    from stoker_runtime.agent.pipe.pool import Pool


@dataclass
class Plumbing:
    gate: Gate
    tally: Tally
    limits: Limits
    pool: "Pool"
    clock: Callable[[], float]
    clients: "set[ClientConnection]" = field(default_factory=set)
    nobody: asyncio.Event = field(default_factory=asyncio.Event)  # no client is connected
    told_host: str | None = None
    closing: bool = False

    def __post_init__(self) -> None:
        self.nobody.set()

    def add(self, client: "ClientConnection") -> None:
        self.clients.add(client)
        self.nobody.clear()

    def discard(self, client: "ClientConnection") -> None:
        self.clients.discard(client)
        if not self.clients:
            self.nobody.set()

    @property
    def sends_away(self) -> bool:
        """Whether an answer tells its client to take another connection next time.

        A Service spreads connections. One that was kept brings each of its requests to the same replica, however long
        that one's queue is beside others.
        """
        return self.closing or self.gate.state is not GateState.OPEN or self._queues

    @property
    def _queues(self) -> bool:
        tally, limits = self.tally, self.limits
        lately = self.clock() - tally.last_began_seconds < limits.queued_seconds
        return lately and tally.last_wait_seconds > limits.queue_seconds
