"""What the control port is asked: answered from what is known, without a wait, on the control port's thread."""

from collections.abc import Callable

from stoker_runtime.agent.exposition import exposition
from stoker_runtime.agent.load_report import load_report
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.startup import Phase

# A loop that has not turned for so long is no longer saturated, but stuck.
_STUCK_SECONDS = 30.0


class Questions:
    """Liveness is the agent's and, beside an engine in another container, the engine's too: its probe asks here."""

    def __init__(self, replica: Replica, trouble: Callable[[], str | None]) -> None:
        self._replica = replica
        self._trouble = trouble
        self._turned_seconds = replica.now()
        self.is_ending = False

    def turned(self) -> None:
        """The pipe's loop has turned."""
        self._turned_seconds = self._replica.now()

    def livez(self) -> str | None:
        """What is wrong; None: nothing."""
        still_seconds = self._replica.now() - self._turned_seconds
        if still_seconds > _STUCK_SECONDS:
            return f"the agent's loop has not turned for {still_seconds:.0f} s\n"
        return self._trouble()

    def readyz(self) -> str | None:
        """An engine that was drained or put to sleep on purpose is ready: whoever did it keeps traffic off it."""
        if self._replica.start_up.phase is not Phase.READY:
            return f"{self._replica.start_up.phase}\n"
        return "ending\n" if self.is_ending else None

    def load(self) -> bytes:
        self._replica.counters.want()
        return load_report(self._replica)

    def metrics(self) -> bytes:
        self._replica.counters.want()
        return exposition(self._replica)
