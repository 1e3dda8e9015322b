"""The agent's answer to GET /load, believed only whole.

Counters that went back without a new boot are not believed once. Twice in a row they are: then it was the answer before
them that was wrong, and a replica must not stay unknown for ever by one wrong answer.
"""

import json
from math import isfinite
from typing import Any, NoReturn

from stoker.core.scaling.observation import Load
from stoker.signals.unreadable import UnreadableError

VERSION = 1
_MOST = 10**15
_MOST_ARRIVALS_PER_SECOND = 100_000  # of one replica: more is no count
_LONGEST_BOOT = 64
_MISSING = object()
_ROUNDING_SECONDS = 0.01


class AgentAnswers:
    """Of one replica, in order."""

    __slots__ = ("_doubted", "_last", "_pod")

    def __init__(self, pod: str) -> None:
        self._pod = pod
        self._last: Load | None = None
        self._doubted: Load | None = None

    def read(self, body: bytes, now_seconds: float) -> Load:
        """Raises UnreadableError."""
        load = parsed(body, self._pod, now_seconds)
        last, doubted = self._last, self._doubted
        self._doubted = None
        back = _went_back(last, load) if last else None
        if back and (doubted is None or doubted.boot != load.boot or _went_back(doubted, load)):
            self._doubted = load
            raise UnreadableError(f"{back} went back though the agent did not start anew")
        self._last = load
        return load


def parsed(body: bytes, pod: str, now_seconds: float) -> Load:
    """Raises UnreadableError. An answer that says of which pod it is must be of this one."""
    said = _object(body)
    if said.get("v") != VERSION or said["v"] is True:
        raise UnreadableError(f"its version v is {_shown(said.get('v'))}, and this operator reads {VERSION}")
    if pod and (said.get("pod") or pod) != pod:
        raise UnreadableError(f"another pod answers at its address: {_shown(said['pod'])}")
    boot, asleep = said.get("boot"), said.get("asleep")
    if not isinstance(boot, str) or not 0 < len(boot) <= _LONGEST_BOOT:
        raise UnreadableError(f"boot is {_shown(boot)}, not the name of one start")
    if not isinstance(asleep, bool):
        raise UnreadableError(f"asleep is {_shown(asleep)}, neither true nor false")
    ttft_count, ttft_sum_seconds = _summary(said, "ttft")
    itl_count, itl_sum_seconds = _summary(said, "itl")
    arrivals = _count(said, "arrivals")
    if arrivals > _MOST_ARRIVALS_PER_SECOND * (1 + _seconds(said.get("age_s", _MISSING), "age_s")):
        raise UnreadableError(f"arrivals is {arrivals}, more than can have come since it started")
    return Load(
        at_seconds=now_seconds,
        boot=boot,
        in_flight=_count(said, "in_flight"),
        waiting=_count(said, "waiting"),
        arrivals=arrivals,
        finished=_count(said, "finished"),
        failed=_count(said, "failed"),
        running=_count_or_none(said, "running"),
        queued=_count_or_none(said, "queued"),
        kv_share=_share(said),
        preemptions=_count_or_none(said, "preemptions"),
        prompt_tokens=_count_or_none(said, "prompt_tokens"),
        output_tokens=_count(said, "output_tokens"),
        ttft_count=ttft_count,
        ttft_sum_seconds=ttft_sum_seconds,
        itl_count=itl_count,
        itl_sum_seconds=itl_sum_seconds,
        asleep=asleep,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("it is not whole JSON") from error
    if not isinstance(said, dict):
        raise UnreadableError("it is no JSON object")
    return said


def _no_number(name: str) -> NoReturn:
    raise UnreadableError(f"it has {name} in it, which is no number")


def _count(said: dict[str, Any], name: str) -> int:
    value = said.get(name, _MISSING)
    # Not isinstance: true and false are no counts.
    if type(value) is int and 0 <= value <= _MOST:
        return value
    raise UnreadableError(f"{name} is {_shown(value)}, not a count")


def _count_or_none(said: dict[str, Any], name: str) -> int | None:
    return None if said.get(name, _MISSING) is None else _count(said, name)


def _seconds(value: object, name: str) -> float:
    if type(value) in (int, float) and isfinite(value) and 0 <= value <= _MOST:  # type: ignore[arg-type, operator]
        return float(value)  # type: ignore[arg-type]
    raise UnreadableError(f"{name} is {_shown(value)}, not a number of seconds")


def _summary(said: dict[str, Any], name: str) -> tuple[int, float]:
    pair = said.get(name, _MISSING)
    if not isinstance(pair, list) or len(pair) != 2:
        raise UnreadableError(f"{name} is {_shown(pair)}, not a count and a sum")
    return _count({name: pair[0]}, name), _seconds(pair[1], name)


def _share(said: dict[str, Any]) -> float | None:
    value = said.get("kv", _MISSING)
    if value is None:
        return None
    share = _seconds(value, "kv")
    if share > 1:
        raise UnreadableError(f"kv is {share}, not a share from 0 to 1")
    return share


def _shown(value: object) -> str:
    return "missing" if value is _MISSING or value is None else repr(value)[:40]


def _went_back(before: Load, after: Load) -> str | None:
    """The name of a counter that did. Those of the engine are left out: beside an agent it may start anew alone."""
    if before.boot != after.boot:
        return None
    for name in ("arrivals", "finished", "failed", "output_tokens", "ttft_count", "itl_count"):
        if getattr(after, name) < getattr(before, name):
            return name
    for name in ("ttft_sum_seconds", "itl_sum_seconds"):
        if getattr(after, name) < getattr(before, name) - _ROUNDING_SECONDS:
            return name
    return None
