"""What the engine's health path says, and how often it is asked."""

from enum import Enum

from stoker_runtime.agent.engine.loopback import EngineGoneError, EngineLateError, EngineNonsenseError, ask
from stoker_runtime.agent.pipe.upstream import Upstream

_TIMEOUT_SECONDS = 10.0  # a saturated engine has been seen to take long, and that is no fault
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 1.0
_SLOWER_SECONDS = 0.02  # with each question
_READY_PAUSE_SECONDS = 5.0
_DOUBT_PAUSE_SECONDS = 1.0
DOUBTS = 3  # bad answers in a row after which an engine that was ready is not


class Health(Enum):
    GOOD = "good"
    LATE = "late"  # neither good nor bad: it holds what was known before
    GONE = "gone"  # nobody listens
    BAD = "bad"

    @property
    def is_doubtful(self) -> bool:
        return self in {Health.GONE, Health.BAD}


async def ask_health(engine: Upstream, path: str, timeout_seconds: float = _TIMEOUT_SECONDS) -> Health:
    try:
        answer = await ask(engine, "GET", path, timeout_seconds)
    except EngineGoneError:
        return Health.GONE
    except EngineLateError:
        return Health.LATE
    except EngineNonsenseError:
        return Health.BAD
    return Health.GOOD if answer.is_good else Health.BAD


def pause_seconds(health: Health, asked: int, *, was_ready: bool) -> float:
    """Until the next question; `asked`: questions since the loading began."""
    if not was_ready:
        return min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS + _SLOWER_SECONDS * asked)
    return _DOUBT_PAUSE_SECONDS if health.is_doubtful else _READY_PAUSE_SECONDS
