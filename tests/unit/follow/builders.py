"""Decisions, from loads that a test makes up."""

from datetime import UTC, datetime
from typing import Any

from stoker.api.configuration import Configuration
from stoker.core.follow.pools import ELASTIC, member_of
from stoker.core.follow.subject import Subject, subject_of
from stoker.core.follow.verdict import Decision, Sight, verdict
from stoker.core.plan.snapshot import Scaled
from stoker.core.scaling.allocate import allocate
from stoker.core.scaling.decide import demand
from stoker.core.scaling.fleet import Fleet, Pool
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Load, Observation, Reading, Replica, Stage
from tests.unit.plan.builders import deployment

NOW = datetime(2026, 11, 21, 8, 0, 0, tzinfo=UTC)
SECONDS = 1000.0


def subject(replicas: int = 1, configuration: dict[str, Any] | None = None, **scaling: Any) -> Subject:
    settings = Configuration.model_validate(configuration or {}, strict=False)
    found = subject_of(deployment(replicas, scaling={"maxReplicas": 4} | scaling), settings)
    assert found
    return found


def load(**changes: Any) -> Load:
    values: dict[str, Any] = {
        "at_seconds": SECONDS,
        "boot": "b",
        "in_flight": 0,
        "waiting": 0,
        "arrivals": 0,
        "finished": 0,
    }
    return Load(**values | changes)


def replica(number: int = 0, **changes: Any) -> Replica:
    values: dict[str, Any] = {
        "uid": f"uid-{number}",
        "revision": "r",
        "product": "",
        "tier": "serving",
        "stage": Stage.READY,
        "since_seconds": 0.0,
        "created_seconds": 0.0,
        "reading": Reading.KNOWN,
        "load": load(),
    }
    return Replica(**values | changes)


def scaled(
    *replicas: Replica,
    of: Subject | None = None,
    devices: int = 100,
    frozen: bool = False,
    memory: Memory | None = None,
    sight: Sight | None = None,
) -> Scaled:
    """What is decided at one look."""
    of = of or subject()
    limits = of.limits(NOW, 0.0, frozen=frozen)
    observation = Observation(SECONDS, replicas, limits, of.aims, of.prior(()))
    wants, remembered = demand(observation, memory or Memory.empty())
    pools = {ELASTIC: Pool(devices)}
    fleet = Fleet(SECONDS, 1, pools, {"m": member_of(of, "ns", replicas, pools, None)})
    grant = allocate({"m": wants}, fleet)["m"]
    return verdict(Decision(of, wants, grant, remembered, NOW, sight or Sight()), None)


FULL = load(kv_share=0.99, in_flight=9)
"""Of a replica whose KV cache asks for another one."""
