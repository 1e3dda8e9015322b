"""What the agent of a replica said last, and how it took the last order."""

from dataclasses import dataclass
from enum import StrEnum

FIRST_AGAIN_SECONDS = 0.5
LONGEST_AGAIN_SECONDS = 30.0


class Verb(StrEnum):
    """An order to an agent. Each may be given twice: the second time it tells how far it came."""

    DRAIN = "drain"
    OPEN = "open"
    REST = "rest"  # an opening of what was drained and stays off traffic, so that a label alone promotes it
    SLEEP = "sleep"
    WAKE = "wake"


class Gate(StrEnum):
    """Whether the replica lets requests in."""

    OPEN = "open"
    LEAVING = "leaving"
    REFUSING = "refusing"


class Heard(StrEnum):
    """How an order was taken."""

    NOTHING = "nothing"  # it is on its way, or was never given
    DONE = "done"
    UNDER_WAY = "under way"
    REFUSED = "refused"  # not now
    UNABLE = "unable"  # this engine, or not in this way
    SILENT = "silent"  # no answer in time: it may have come through or not
    DEAF = "deaf"  # an agent that takes no orders from this operator: older, or with another key


@dataclass(frozen=True, slots=True)
class Report:
    """None is unknown. What was said before an order is unknown again as soon as the order is given."""

    verb: Verb | None = None
    heard: Heard = Heard.NOTHING
    gate: Gate | None = None
    asleep: bool | None = None  # True: or it may be
    in_flight: int | None = None
    failures: int = 0  # tries in a row without an answer
    for_seconds: float = 0.0  # since the order was given first
    trouble: str = ""  # what went wrong at the engine
    closed: bool = False  # a drain may have come through, and no opening since
    sleepless: bool = False  # its engine was told to sleep and did not

    @property
    def drained(self) -> bool:
        return self.verb is Verb.DRAIN and self.heard is Heard.DONE

    @property
    def opened(self) -> bool:
        return self.verb is Verb.OPEN and self.heard is Heard.DONE

    @property
    def rested(self) -> bool:
        """It was drained, and lets requests in again, so that nothing is in the way of traffic."""
        return self.verb is Verb.REST and self.heard is Heard.DONE

    @property
    def fast_asleep(self) -> bool:
        return self.verb is Verb.SLEEP and self.heard is Heard.DONE

    @property
    def awake(self) -> bool:
        """Proven by a token, where it slept."""
        return self.asleep is False or (self.verb is Verb.WAKE and self.heard is Heard.DONE)


UNHEARD = Report()


def again_seconds(failures: int) -> float:
    """Until the same order is given again: 0.5, and double with each try that nobody answered, up to 30."""
    return float(min(LONGEST_AGAIN_SECONDS, FIRST_AGAIN_SECONDS * 2 ** min(failures, 10)))
