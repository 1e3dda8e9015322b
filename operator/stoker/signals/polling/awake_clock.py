"""A clock that stands still while this process does.

An operator that is short of processor time reads every answer late. That says nothing of the replicas, so the time
that it missed itself does not count against them.
"""


class AwakeClock:
    """Told the time often; what passed beyond `most_step_seconds` between two times is left out."""

    __slots__ = ("_awake_seconds", "_last_seconds", "_most_step_seconds")

    def __init__(self, now_seconds: float, most_step_seconds: float) -> None:
        self._most_step_seconds = most_step_seconds
        self._last_seconds = self._awake_seconds = now_seconds

    def step(self, now_seconds: float) -> float:
        self._awake_seconds = self.at(now_seconds)
        self._last_seconds = now_seconds
        return self._awake_seconds

    def at(self, now_seconds: float) -> float:
        """Without being a step."""
        return self._awake_seconds + min(max(0.0, now_seconds - self._last_seconds), self._most_step_seconds)
