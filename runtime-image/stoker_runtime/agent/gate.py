"""Whether this replica takes requests."""

import math
from enum import StrEnum


class GateState(StrEnum):
    OPEN = "open"
    LEAVING = "leaving"  # still served, and every answer tells its client to take another connection next time
    REFUSING = "refusing"  # what runs goes on, what comes is sent away


class Gate:
    """Read at every request by the pipe, moved by whoever drains the replica."""

    def __init__(self) -> None:
        self.state = GateState.OPEN
        self.last_arrival_seconds = -math.inf  # on the monotonic clock; minus infinity before the first request
        self._refuses_after_seconds = -math.inf

    def leave(self) -> None:
        """Not a way back: what refuses goes on refusing."""
        if self.state is GateState.OPEN:
            self.state = GateState.LEAVING

    def refuse(self, after_seconds: float = -math.inf) -> None:
        """On connections opened after this moment. An older one may have waited in a client's pool and heard nothing of
        the end: its next request is served, and its answer tells."""
        self.state = GateState.REFUSING
        self._refuses_after_seconds = after_seconds

    def refuses(self, opened_seconds: float) -> bool:
        """A request on a connection that was opened then."""
        return self.state is GateState.REFUSING and opened_seconds >= self._refuses_after_seconds

    def open(self) -> None:
        self.state = GateState.OPEN

    def arrived(self, now_seconds: float) -> None:
        """A request to a model came, whether it is let in or not."""
        self.last_arrival_seconds = now_seconds
