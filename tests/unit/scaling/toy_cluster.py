"""A small cluster of replicas that share their time among requests: T(n) = a + c·n a token. From a seed."""

from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from stoker.core.scaling.decide import demand
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Aims, Limits, Load, Observation, Prior, Reading, Replica, Stage
from stoker.core.scaling.tuning import DEFAULT, Tuning

TICK_SECONDS = 2.0
BASE_SECONDS = 0.02
EACH_SECONDS = 0.001


@dataclass
class ToyReplica:
    uid: str
    created: float
    ready_at: float
    tokens: list[float] = field(default_factory=list)
    arrivals: int = 0
    finished: int = 0
    gaps: float = 0.0
    gap_seconds: float = 0.0
    draining: bool = False

    def work(self, seconds: float) -> None:
        count = len(self.tokens)
        if not count:
            return
        each = seconds / (BASE_SECONDS + EACH_SECONDS * count)
        self.gaps += sum(min(left, each) for left in self.tokens)
        self.gap_seconds += count * seconds
        left = [tokens - each for tokens in self.tokens if tokens > each]
        self.finished += count - len(left)
        self.tokens = left

    def seen(self, now: float) -> Replica:
        ready = now >= self.ready_at
        load = Load(
            at_seconds=now,
            boot=self.uid,
            in_flight=len(self.tokens),
            waiting=0,
            arrivals=self.arrivals,
            finished=self.finished,
            running=len(self.tokens),
            queued=0,
            output_tokens=int(self.gaps),
            ttft_count=self.arrivals,
            ttft_sum_seconds=0.1 * self.arrivals,
            itl_count=int(self.gaps),
            itl_sum_seconds=self.gap_seconds,
        )
        return Replica(
            self.uid,
            "r",
            "toy",
            "draining" if self.draining else "serving",
            Stage.READY if ready else Stage.LOADING,
            self.ready_at if ready else self.created,
            self.created,
            Reading.KNOWN if ready else Reading.UNKNOWN,
            load if ready else None,
        )


class ToyCluster:
    """What the operator would do at once: order, and drain what is above the number."""

    def __init__(self, seed: int, count: int, lead_seconds: float = 30.0, tuning: Tuning = DEFAULT) -> None:
        self.random = Random(seed)  # noqa: S311 - to repeat, not to hide
        self.now = 0.0
        self.lead_seconds = lead_seconds
        self.tuning = tuning
        self.made = 0
        self.all: list[ToyReplica] = [self._made(-1000.0, -900.0) for _ in range(count)]
        self.memory = Memory.empty()
        self.numbers: list[int] = []
        self.limits = Limits(floor=1, maximum=40)
        self.prior = Prior(n_star=55.0, rate_per_second=5.5, max_concurrency=256, lead_seconds={Stage.LOADING: 30.0})

    def _made(self, created: float, ready_at: float) -> ToyReplica:
        self.made += 1
        return ToyReplica(f"toy-{self.made}", created, ready_at)

    def observation(self) -> Observation:
        seen = tuple(each.seen(self.now) for each in self.all)
        return Observation(self.now, seen, self.limits, Aims(), self.prior)

    def tick(self, rate_per_second: float, tokens: float = 100.0) -> Demand:
        for _ in range(4):
            self._pass(TICK_SECONDS / 4, rate_per_second, tokens)
        said, self.memory = demand(self.observation(), self.memory, self.tuning)
        self._follow(said.serving)
        self.numbers.append(said.serving)
        return said

    def run(self, seconds: float, rate_per_second: float, tokens: float = 100.0) -> None:
        for _ in range(int(seconds / TICK_SECONDS)):
            self.tick(rate_per_second, tokens)

    def _pass(self, seconds: float, rate_per_second: float, tokens: float) -> None:
        self.now += seconds
        ready = [each for each in self.all if each.ready_at <= self.now and not each.draining]
        due = self.random.expovariate(rate_per_second) if rate_per_second else seconds
        while due < seconds and ready:
            least = min(ready, key=lambda each: (len(each.tokens), each.uid))
            least.tokens.append(self.random.expovariate(1.0 / tokens) + 1.0)
            least.arrivals += 1
            due += self.random.expovariate(rate_per_second)
        for each in self.all:
            each.work(seconds)
        self.all = [each for each in self.all if not each.draining or each.tokens]

    def _follow(self, wanted: int) -> None:
        serving = [each for each in self.all if not each.draining]
        self.all += [self._made(self.now, self.now + self.lead_seconds) for _ in range(wanted - len(serving))]
        leaving = max(0, len(serving) - wanted)
        for each in sorted(serving, key=lambda each: (-each.ready_at, each.uid))[:leaving]:
            each.draining = True


def reversals(numbers: list[int], within_seconds: float = 300.0) -> int:
    """Changes that undo another so soon after it."""
    changes = [
        (index * TICK_SECONDS, after - before)
        for index, (before, after) in enumerate(pairwise(numbers))
        if after != before
    ]
    return sum(one * other < 0 and at - before <= within_seconds for (before, one), (at, other) in pairwise(changes))
