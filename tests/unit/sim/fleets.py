"""A fleet without traffic of its own, whose time a test moves."""

import random

from stoker.core.names import Tier
from stoker.core.scaling.observation import Stage
from stoker.sim.agenda import Agenda
from stoker.sim.fleet import Fleet, Ground
from stoker.sim.pod import Pod
from stoker.sim.policy import Order
from stoker.sim.pool import GpuPool
from stoker.sim.request import Request
from stoker.sim.setup import Setup, Starting
from stoker.sim.trace import Trace
from stoker.sim.traffic import Traffic

STARTING = Starting(cold_seconds=60.0, spread=0.0, wake_seconds=3.0)


def trace(*arrivals: float, duration_seconds: float = 1_000.0, prompt: int = 100, output: int = 50) -> Trace:
    count = len(arrivals)
    return Trace("tested", duration_seconds, arrivals, (prompt,) * count, (output,) * count)


class Rig:
    def __init__(self, setup: Setup, serving: int = 1, *arrivals: float, gpus: int | None = None) -> None:
        self.agenda = Agenda()
        self.pool = GpuPool(setup.maximum if gpus is None else gpus, setup.faults.unschedulable)
        chance = random.Random(1)  # noqa: S311 - to repeat
        self.traffic = Traffic(trace(*arrivals), setup.way, chance)
        self.fleet = Fleet("tested", setup, self.traffic, Ground(self.agenda, self.pool), chance)
        self.now = 0.0
        self.fleet.begin(serving, 0.0)
        self.until(1.0)

    def until(self, moment: float) -> None:
        while True:
            due = min(moment, self.agenda.next_at)
            if self.traffic.run_until(due):
                continue
            if self.agenda.next_at > moment:
                break
            at, action = self.agenda.pop()
            action(at)
        self.now = moment

    def order(self, serving: int, warm: int = 0) -> None:
        self.fleet.apply(Order(serving, warm), self.now)

    def occupy(self, pod: Pod, output_tokens: int = 100_000) -> Request:
        """Gives it a request that lasts."""
        assert pod.server is not None
        request = Request(-1, self.now, 10, output_tokens)
        pod.server.submit(request, self.now)
        return request

    def of(self, tier: Tier) -> list[Pod]:
        return [pod for pod in self.fleet.pods if pod.tier is tier]

    @property
    def serving(self) -> list[Pod]:
        return [pod for pod in self.of(Tier.SERVING) if pod.ready]

    @property
    def starting(self) -> list[Pod]:
        return [pod for pod in self.fleet.pods if pod.stage is not Stage.READY and pod.tier is not Tier.DRAINING]
