"""What the control port can be told: each verb may come late, twice, or in the wrong order."""

from stoker_runtime.agent.engine.sleeping import Told
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.startup import Phase
from stoker_runtime.agent.supervision.leaving import Leaving


class DrainVerbs:
    """On the loop of the pipe."""

    def __init__(self, replica: Replica, leaving: Leaving) -> None:
        self._replica = replica
        self._leaving = leaving
        self._deadline_seconds: float | None = None
        self.is_ending = False  # told by a signal, after which there is no way back

    def deadline_seconds(self) -> float:
        """The grace begins with the first word of the end, be it the preStop hook or the signal after it."""
        if self._deadline_seconds is None:
            self._deadline_seconds = self._replica.now() + self._replica.options.grace_seconds
        return self._deadline_seconds

    def begin(self) -> None:
        self._leaving.begin(was_served=self._replica.start_up.was_ready)

    async def drain(self) -> Told:
        self.begin()
        return self._progress()

    async def open(self) -> Told:
        if self.is_ending:
            return Told(409, "The agent was told to end.")
        if self._replica.sleeper.is_asleep:
            return Told(
                409, f"The engine is {self._replica.sleeper.state}: POST /wake first, and wait until it is awake."
            )
        self._deadline_seconds = None
        self._leaving.undo()
        return Told(200, "open")

    async def sleep(self, level: str) -> Told:
        if self._replica.start_up.phase is not Phase.READY:
            return Told(409, f"The replica is {self._replica.start_up.phase}: it can sleep once it is ready.")
        return self._replica.sleeper.sleep(level)

    async def wake(self) -> Told:
        return self._replica.sleeper.wake()

    async def prestop(self) -> Told:
        """Answers when it is drained, or when the grace is over."""
        self.begin()
        await self._leaving.drained(self.deadline_seconds())
        return self._progress()

    def _progress(self) -> Told:
        if self._leaving.is_drained:
            return Told(200, "drained")
        return Told(202, f"{self._replica.gate.state}, {self._replica.tally.in_flight} in flight")
