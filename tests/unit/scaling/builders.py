"""Replicas and observations in a word or two."""

from dataclasses import replace
from typing import Any

from stoker.core.scaling.decide import demand
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Aims, Limits, Load, Observation, Prior, Reading, Replica, Stage
from stoker.core.scaling.tuning import DEFAULT, Tuning

PRIOR = Prior(n_star=40.0, rate_per_second=4.0, max_concurrency=256)
LIMITS = Limits(floor=1, maximum=20)


def load(**fields: Any) -> Load:
    whole = {"at_seconds": 0.0, "boot": "b", "in_flight": 0, "waiting": 0, "arrivals": 0, "finished": 0}
    return Load(**{**whole, **fields})


def replica(uid: str = "a", **fields: Any) -> Replica:
    whole: dict[str, Any] = {
        "uid": uid,
        "revision": "r",
        "product": "l40s",
        "tier": "serving",
        "stage": Stage.READY,
        "since_seconds": -1000.0,
        "created_seconds": -1000.0,
    }
    if "load" in fields and "reading" not in fields:
        whole["reading"] = Reading.KNOWN
    return Replica(**{**whole, **fields})


def replicas(count: int, **fields: Any) -> tuple[Replica, ...]:
    return tuple(replica(f"uid-{index}", **fields) for index in range(count))


def observation(now_seconds: float, seen: tuple[Replica, ...], **fields: Any) -> Observation:
    return Observation(now_seconds, seen, **{"limits": LIMITS, "aims": Aims(), "prior": PRIOR, **fields})


class Watched:
    """A model whose replicas share a steady load, looked at every two seconds."""

    def __init__(self, count: int, memory: Memory | None = None, tuning: Tuning = DEFAULT, **fields: Any) -> None:
        self.now = 0.0
        self.memory = memory or Memory.empty()
        self.tuning = tuning
        self.fields = fields
        self.seen = replicas(count, load=load(in_flight=0))
        self.said: Demand | None = None

    def served(self, rate_per_second: float, in_flight: int = 0, **fields: Any) -> tuple[Replica, ...]:
        """Two seconds later, with what came evenly over the ready serving replicas."""
        self.now += 2.0
        ready = sum(one.tier == "serving" and one.stage is Stage.READY for one in self.seen)
        came = rate_per_second * 2.0 / max(1, ready)
        seen = []
        for one in self.seen:
            if one.load is None or one.tier != "serving" or one.stage is not Stage.READY:
                seen.append(one)
                continue
            changed: dict[str, Any] = {"arrivals": one.load.arrivals + came, "finished": one.load.finished + came}
            each = replace(
                one.load,
                at_seconds=self.now,
                in_flight=in_flight,
                **{**changed, **fields},
            )
            seen.append(replace(one, load=each))
        self.seen = tuple(seen)
        return self.seen

    def tick(self, rate_per_second: float = 0.0, in_flight: int = 0, **fields: Any) -> Demand:
        self.served(rate_per_second, in_flight, **fields)
        return self.decide()

    def decide(self, seen: tuple[Replica, ...] | None = None) -> Demand:
        observed = observation(self.now, self.seen if seen is None else seen, **self.fields)
        self.said, self.memory = demand(observed, self.memory, self.tuning)
        return self.said

    def run(self, seconds: float, rate_per_second: float = 0.0, in_flight: int = 0, **fields: Any) -> Demand:
        for _ in range(int(seconds / 2.0)):
            self.tick(rate_per_second, in_flight, **fields)
        assert self.said is not None
        return self.said

    def unread(self, reading: Reading = Reading.UNKNOWN, count: int | None = None) -> tuple[Replica, ...]:
        """The first so many replicas, or all, without an answer."""
        last = len(self.seen) if count is None else count
        return tuple(
            replace(one, reading=reading, load=None) if index < last else one for index, one in enumerate(self.seen)
        )
