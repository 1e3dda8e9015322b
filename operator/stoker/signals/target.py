"""Whose load is wanted, and where it can be had."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    AGENT = "agent"
    """GET /load of the replica's agent: exact counts."""
    ENGINE = "engine"
    """The engine's own metrics, asked of the replica: no arrivals, see `account`."""
    PROMETHEUS = "prometheus"
    """What a Prometheus scraped of the agent or, without one, of the engine."""


@dataclass(frozen=True, slots=True)
class Target:
    """One replica, by the pod that answers for it."""

    uid: str
    namespace: str
    pod: str
    model: str
    """Any name of the ModelDeployment that is unique in the fleet."""
    ip: str
    port: int
    source: Source = Source.AGENT
    path: str = "/load"
    engine: str = ""
    """As stoker_runtime.readings calls it; not needed for the agent."""
    busy: bool = False
    """Its model has traffic, so that it is asked often though it has none itself."""
