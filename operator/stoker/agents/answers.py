"""What an agent answers to an order, and to a look at it, believed only where it can be read."""

import json
from dataclasses import dataclass

from stoker.core.pool.report import Gate, Heard

# 404 and 405: an agent that does not know the order; 401 and 403: it has another key, or none.
_DEAF = frozenset({401, 403, 404, 405})
_UNABLE = frozenset({400, 501})
_LONGEST_SENTENCE = 300
_FAILED = "the last try failed: "


@dataclass(frozen=True, slots=True)
class Taken:
    """How an order was taken, and what the agent said to it."""

    heard: Heard
    sentence: str = ""

    @property
    def trouble(self) -> str:
        """What the engine did not do, where the agent tells of a try that failed."""
        return self.sentence.partition(_FAILED)[2] if self.heard is Heard.UNDER_WAY else ""


@dataclass(frozen=True, slots=True)
class Found:
    """What GET /load says of the replica itself."""

    pod: str
    gate: Gate | None
    asleep: bool | None
    in_flight: int | None


NOTHING = Found("", None, None, None)


def taken(status: int, body: bytes) -> Taken:
    sentence = _sentence(body)
    if status == 200:
        return Taken(Heard.DONE, sentence)
    if status == 202:
        return Taken(Heard.UNDER_WAY, sentence)
    if status in _DEAF:
        return Taken(Heard.DEAF, sentence)
    if status in _UNABLE:
        return Taken(Heard.UNABLE, sentence)
    # 503: it is too busy to do that now.
    return Taken(Heard.SILENT if status >= 500 else Heard.REFUSED, sentence)


def found(status: int, body: bytes) -> Found:
    """Each part is unknown where it cannot be read."""
    try:
        said = json.loads(body) if status == 200 else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        return NOTHING
    pod, gate, asleep, in_flight = (said.get(name) for name in ("pod", "gate", "asleep", "in_flight"))
    return Found(
        pod if isinstance(pod, str) else "",
        Gate(gate) if gate in set(Gate) else None,
        asleep if isinstance(asleep, bool) else None,
        in_flight if type(in_flight) is int and in_flight >= 0 else None,
    )


def _sentence(body: bytes) -> str:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    message = said.get("message", said.get("error")) if isinstance(said, dict) else None
    return message[:_LONGEST_SENTENCE] if isinstance(message, str) else ""
