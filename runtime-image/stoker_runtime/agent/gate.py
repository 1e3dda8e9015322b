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

    def leave(self) -> None:
        """Not a way back: what refuses goes on refusing."""
        if self.state is GateState.OPEN:
            self.state = GateState.LEAVING

    def refuse(self) -> None:
        self.state = GateState.REFUSING

    def open(self) -> None:
        self.state = GateState.OPEN

    def arrived(self, now_seconds: float) -> None:
        """A request to a model came, whether it is let in or not."""
        self.last_arrival_seconds = now_seconds
