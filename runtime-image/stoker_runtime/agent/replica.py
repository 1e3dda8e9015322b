"""The parts of a replica, of which the control port tells and which its verbs move."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stoker_runtime.agent.engine.counters import EngineCounters
from stoker_runtime.agent.engine.sleeping import Sleeper
from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.options import Options
from stoker_runtime.agent.pipe.upstream import Upstream
from stoker_runtime.agent.startup import StartUp
from stoker_runtime.agent.tally import Tally


@dataclass(frozen=True)
class Replica:
    """Moved on the loop of the pipe alone; read from the control port's thread as well."""

    boot: str  # new for each start, so that counters which begin anew are known as such
    options: Options
    upstream: Upstream
    gate: Gate
    tally: Tally
    start_up: StartUp
    counters: EngineCounters
    sleeper: Sleeper
    pod: str = ""  # its name, as the kubelet tells it
    now: Callable[[], float] = time.monotonic
    started_seconds: float = field(default_factory=time.monotonic)

    @property
    def age_seconds(self) -> float:
        return self.now() - self.started_seconds


def whole(value: float | None) -> int | None:
    """Unknown stays unknown."""
    return int(value) if value is not None and math.isfinite(value) else None
