"""Rules of scalers, one a file, with their documented defaults, and how each is made by name."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from stoker.core.scaling.tuning import DEFAULT, Tuning
from stoker.sim.capacity import Capacity, capacity
from stoker.sim.policies.aibrix import Aibrix
from stoker.sim.policies.clairvoyant import Clairvoyant
from stoker.sim.policies.dynamo import Dynamo
from stoker.sim.policies.hpa import Hpa
from stoker.sim.policies.keda import Keda
from stoker.sim.policies.kpa import Kpa
from stoker.sim.policies.kubeai import KubeAi
from stoker.sim.policies.static import Static
from stoker.sim.policies.stoker import Stoker
from stoker.sim.policies.wva import Wva
from stoker.sim.policy import Policy
from stoker.sim.setup import Setup
from stoker.sim.trace import Trace
from stoker.sim.world import initial_replicas

Knobs = Mapping[str, float]


class PolicyError(Exception):
    """A sentence that names the policy, the knob and what there is."""


@dataclasses.dataclass(frozen=True)
class Situation:
    """What a policy is made for. Only the clairvoyant looks into the trace."""

    trace: Trace
    setup: Setup

    @property
    def capacity(self) -> Capacity:
        objective = self.setup.objective
        return capacity(self.setup.replica, self.trace.mean_prompt, self.trace.mean_output, objective.itl_seconds)


def _hpa(situation: Situation) -> dict[str, Any]:
    # No default exists: its user would measure a replica and take what it holds inside the objective.
    return {"target": round(situation.capacity.concurrency, 1)}


def _clairvoyant(situation: Situation) -> dict[str, Any]:
    starting = situation.setup.starting
    return {
        "trace": situation.trace,
        "rate_per_second": situation.capacity.rate_per_second,
        "lead_seconds": starting.cold_seconds * (1 + 2 * starting.spread) + 4.0,
    }


def _nothing(_situation: Situation) -> dict[str, Any]:
    return {}


_MAKERS: Mapping[str, tuple[type[Any], Callable[[Situation], dict[str, Any]]]] = {
    "stoker": (Stoker, lambda situation: {"setup": situation.setup}),
    "hpa": (Hpa, _hpa),
    "keda": (Keda, _nothing),
    "kpa": (Kpa, _nothing),
    "kubeai": (KubeAi, _nothing),
    "aibrix": (Aibrix, _hpa),
    "wva": (Wva, _nothing),
    "dynamo": (Dynamo, lambda situation: {"replica": situation.setup.replica}),
    "static": (Static, lambda situation: {"replicas": initial_replicas(situation.trace, situation.setup)}),
    "clairvoyant": (Clairvoyant, _clairvoyant),
}
NAMES = tuple(_MAKERS)
PEERS = ("hpa", "keda", "kpa", "kubeai", "aibrix", "wva", "dynamo")


def knobs_of(name: str) -> tuple[str, ...]:
    """What --set takes."""
    if name == Stoker.name:
        return tuple(one.name for one in dataclasses.fields(Tuning))
    made_of = {"trace", "replica", "setup", "rate_per_second", "lead_seconds"}
    fields = dataclasses.fields(_kind(name))
    return tuple(one.name for one in fields if one.init and not one.name.startswith("_") and one.name not in made_of)


def policy(name: str, situation: Situation, knobs: Knobs | None = None) -> Policy:
    kind, arguments = _kind(name), _MAKERS[name][1](situation)
    known = knobs_of(name)
    given = dict(knobs or {})
    for knob in given.keys() - set(known):
        raise PolicyError(f"policy {name} has no knob {knob}: it has {', '.join(known)}")
    if kind is Stoker:
        arguments["tuning"] = dataclasses.replace(DEFAULT, **given)
    else:
        whole = {one.name for one in dataclasses.fields(kind) if one.type is int}
        arguments |= {knob: int(value) if knob in whole else value for knob, value in given.items()}
    made: Policy = kind(**arguments)
    return made


def _kind(name: str) -> type[Any]:
    if name not in _MAKERS:
        raise PolicyError(f"no policy {name}: choose of {', '.join(NAMES)}")
    return _MAKERS[name][0]
