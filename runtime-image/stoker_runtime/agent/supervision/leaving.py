"""The one order in which a replica leaves: off traffic, then nothing in flight or the end of its grace.

leave   every answer sends its client elsewhere for the next request
refuse  after settle_seconds and a second without an arrival (waited for at most QUIET_SECONDS more): by then
        endpoints have forgotten this replica; who still comes by a connection that a pool has kept, or by a node
        that is not LATE_ROUTING_TIMES as slow, is served once more
drained nothing is in flight, or the deadline has come
"""

import asyncio
from collections.abc import Callable

from stoker_runtime.agent.gate import Gate, GateState
from stoker_runtime.agent.tally import Tally

QUIET_SECONDS = 10.0
# A busy node may route for several times as long as others. Whoever comes by it is served rather than sent away, and
# waited for like any other; only what still comes then is refused.
LATE_ROUTING_TIMES = 4.0
_WITHOUT_ARRIVAL_SECONDS = 1.0
_LOOK_SECONDS = 0.05


class Leaving:
    """Begins once, however often it is asked for, and can be undone until the process itself has to go."""

    def __init__(self, gate: Gate, tally: Tally, settle_seconds: float, now: Callable[[], float]) -> None:
        self._gate = gate
        self._tally = tally
        self._settle_seconds = settle_seconds
        self._now = now
        self._settling: asyncio.Task[None] | None = None

    @property
    def is_drained(self) -> bool:
        return self._gate.state is GateState.REFUSING and not self._tally.in_flight

    def begin(self, *, was_served: bool = True) -> None:
        """Nobody has to get used to the absence of a replica that was never ready."""
        if self._settling is not None:
            return
        self._gate.leave()
        settle_seconds = self._settle_seconds if was_served else 0.0
        self._settling = asyncio.get_running_loop().create_task(self._settle(settle_seconds, quiet=was_served))

    def undo(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None
        self._gate.open()

    async def drained(self, deadline_seconds: float) -> bool:
        """Whether nothing is in flight; at the deadline it refuses whatever has settled."""
        wait_seconds = deadline_seconds - self._now()
        try:
            async with asyncio.timeout(max(0.0, wait_seconds)):
                while not self.is_drained:
                    if self._gate.state is GateState.REFUSING:
                        await self._tally.until_idle()
                    else:
                        await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            if self._gate.state is GateState.LEAVING:
                self._gate.refuse()
        return self.is_drained

    async def _settle(self, settle_seconds: float, *, quiet: bool) -> None:
        began = self._now()
        await asyncio.sleep(settle_seconds)
        while quiet and self._now() < began + settle_seconds + QUIET_SECONDS:
            silence = self._now() - self._gate.last_arrival_seconds
            if silence >= _WITHOUT_ARRIVAL_SECONDS:
                break
            await asyncio.sleep(max(_LOOK_SECONDS, _WITHOUT_ARRIVAL_SECONDS - silence))
        self._gate.refuse(after_seconds=self._now() + LATE_ROUTING_TIMES * settle_seconds)
