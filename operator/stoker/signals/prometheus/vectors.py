"""The answers to the queries: one number for each pod, or none."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

from stoker.signals.prometheus.queries import Labels
from stoker.signals.unreadable import UnreadableError

Pod = tuple[str, str]
"""Namespace and name."""
_MOST = 1e18


@dataclass(frozen=True, slots=True)
class Vector:
    values: dict[Pod, float]
    at_seconds: float | None
    """The instant that the answer is for, by Prometheus' clock; None: it is empty."""
    is_partial: bool
    """Some of it could not be read."""


def vector_of(result: Any, labels: Labels) -> Vector:
    """Raises UnreadableError. NaN, infinities and negative numbers are no figures."""
    if not isinstance(result, list):
        raise UnreadableError("its result is no vector")
    values: dict[Pod, float] = {}
    at_seconds: float | None = None
    torn = 0
    for sample in result:
        try:
            metric, (at, text) = sample["metric"], sample["value"]
            pod, value, at = (metric[labels.namespace], metric[labels.pod]), float(text), float(at)
        except (KeyError, TypeError, ValueError):
            torn += 1
            continue
        if isfinite(at):
            at_seconds = at
        if 0 <= value < _MOST and isinstance(pod[0], str) and isinstance(pod[1], str):
            values[pod] = max(value, values.get(pod, 0.0))
        else:
            torn += 1
    return Vector(values, at_seconds, torn > 0)
