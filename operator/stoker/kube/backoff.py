"""How long to wait after a failure: longer each time, never all at once, never for ever."""

import random
from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Doubles from `first_seconds` to `most_seconds`. Half of a wait is random, so a fleet does not act in step."""

    first_seconds: float = 0.2
    most_seconds: float = 30.0
    _failures: int = field(default=0, init=False)

    def next_seconds(self) -> float:
        whole = min(self.most_seconds, self.first_seconds * 2.0**self._failures)
        # Past the ceiling more doublings change nothing but could overflow a float after a long outage.
        self._failures += whole < self.most_seconds
        return whole * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        self._failures = 0
