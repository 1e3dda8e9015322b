"""A thousand models, five thousand replicas, one look."""

import resource
from dataclasses import replace

from stoker.core.scaling.allocate import allocate
from stoker.core.scaling.decide import demand
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.fleet import Fleet, Holding, Member, Pool
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Observation
from tests.unit.scaling.builders import Watched, observation

MODELS = 1000
MOST_SECONDS = 1.5
"""Generous, for a machine that is shared; the figure itself is printed."""


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def test_a_tick_of_a_thousand_models_costs_little() -> None:
    watched = Watched(5)
    for tick in range(300):
        gaps = 40 * tick
        watched.tick(15.0, in_flight=20, itl_count=gaps, itl_sum_seconds=gaps * 0.05, ttft_count=6 * tick)
    memories = [replace(watched.memory) for _ in range(MODELS)]
    watched.served(15.0, in_flight=21)
    observed = [replace_now(watched) for _ in range(MODELS)]
    begun = cpu_seconds()
    answers = [demand(each, memory) for each, memory in zip(observed, memories, strict=True)]
    decided = cpu_seconds() - begun
    demands = {f"model-{index:04}": said for index, (said, _) in enumerate(answers)}
    fleet = fleet_of(demands)
    begun = cpu_seconds()
    grants = allocate(demands, fleet)
    allocated = cpu_seconds() - begun
    assert len(grants) == MODELS
    print(f"{MODELS} models of 5 replicas: demand {1000 * decided:.0f} ms, allocate {1000 * allocated:.0f} ms of CPU")
    assert decided + allocated < MOST_SECONDS


def replace_now(watched: Watched) -> Observation:
    return observation(watched.now, watched.seen)


def fleet_of(demands: dict[str, Demand]) -> Fleet:
    members = {name: Member(1, ("a", "b"), holdings={"a": Holding(serving=4)}) for name in demands}
    return Fleet(0.0, 1, {"a": Pool(6 * MODELS), "b": Pool(100)}, members)


def test_the_memory_of_a_model_is_bounded() -> None:
    watched = Watched(5)
    watched.run(3600, 15.0, in_flight=20)
    once = len(watched.memory.to_json())
    watched.run(3600, 15.0, in_flight=20)
    assert len(watched.memory.to_json()) < 1.2 * once
    assert once < 16_000
    assert Memory.from_json(watched.memory.to_json()) == watched.memory
