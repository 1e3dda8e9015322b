"""Models, their traffic and their policies on one pool of GPUs, from the first arrival to the last.

Between two entries of the agenda each model runs its traffic on its own: models meet at the pool alone.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import ceil

from stoker.core.names import Tier
from stoker.core.scaling.observation import Stage
from stoker.sim.agenda import Agenda
from stoker.sim.capacity import capacity
from stoker.sim.faults import any_holds
from stoker.sim.fleet import Fleet, Ground
from stoker.sim.policy import Policy, View
from stoker.sim.pool import GpuPool
from stoker.sim.result import Moment, Named, Result, excluded_seconds, result_of
from stoker.sim.setup import Setup
from stoker.sim.signals import look
from stoker.sim.trace import Trace, TraceError
from stoker.sim.traffic import Traffic

_MOMENT_SECONDS = 10.0
_PATIENCE_SECONDS = 1.0
_AFTER_LOOKING = 0.001
_FIRST_MINUTES = 120.0
_INITIAL_UTILIZATION = 0.8


@dataclass(frozen=True)
class Model:
    trace: Trace
    policy: Policy
    setup: Setup


def simulate(model: Model, seed: int, *, timeline: bool = False) -> Result:
    return simulate_fleet([model], model.setup.maximum, seed, timeline=timeline)[0]


def simulate_fleet(models: Sequence[Model], gpus: int, seed: int, *, timeline: bool = False) -> list[Result]:
    """Several models over one pool; faults of the pool are those of the first model's setup."""
    agenda = Agenda()
    pool = GpuPool(gpus, models[0].setup.faults.unschedulable)
    for moment in pool.reopens:
        agenda.at(moment, pool.serve)
    ground = Ground(agenda, pool)
    running = [_Running(model, index, ground, seed) for index, model in enumerate(models)]
    if timeline:
        for one in running:
            one.keep_moments()
    end = max(one.end for one in running)
    while True:
        moment = min(agenda.next_at, end)
        # One that stops early has drained a replica, and the agenda may hold something sooner now.
        early = [one.traffic.run_until(moment) for one in running]
        if any(early):
            continue
        if moment >= end:
            break
        moment, action = agenda.pop()
        action(moment)
    return [one.result(seed) for one in running]


class _Running:
    def __init__(self, model: Model, index: int, ground: Ground, seed: int) -> None:
        trace, setup = model.trace, model.setup
        _check(trace, setup)
        self._model = model
        agenda = self._agenda = ground.agenda
        self.end = trace.duration_seconds + setup.grace_seconds
        self._moments: list[Moment] = []
        self._prompts = (0, *accumulate(trace.prompts))
        self._outputs = (0, *accumulate(trace.outputs))
        # Each has a source of its own: what a policy does leaves the router's choices what they were.
        self._looking = _chance(seed, index, "looking")
        self.traffic = Traffic(trace, setup.way, _chance(seed, index, "router"))
        self._fleet = Fleet(f"model-{index}", setup, self.traffic, ground, _chance(seed, index, "starting"))
        self._fleet.ledger.begins = excluded_seconds(setup, trace.duration_seconds)
        self._fleet.ledger.ends = trace.duration_seconds
        self._fleet.begin(initial_replicas(trace, setup), 0.0)
        agenda.at(0.0, self._look)
        agenda.at(setup.sampling.delay_seconds + _AFTER_LOOKING, self._decide)
        if setup.way.patience_seconds is not None:
            agenda.at(_PATIENCE_SECONDS, self._give_up)
        for moment in setup.faults.crashes:
            agenda.at(moment, self._fleet.crash)

    def keep_moments(self) -> None:
        self._agenda.at(0.0, self._note)

    def _look(self, now: float) -> None:
        setup = self._model.setup
        gone = any_holds(setup.faults.metrics_gaps, now)
        for pod in self._fleet.pods:
            if gone or (setup.sampling.loss and self._looking.random() < setup.sampling.loss):
                continue
            load = look(pod, now)
            if load is not None:
                pod.coming.append((now + setup.sampling.delay_seconds, load))
        self._agenda.at(now + self._model.policy.sample_seconds, self._look)

    def _decide(self, now: float) -> None:
        if now >= self._model.trace.duration_seconds:
            return
        self._fleet.apply(self._model.policy.decide(self._view(now)), now)
        self._agenda.at(now + self._model.policy.tick_seconds, self._decide)

    def _view(self, now: float) -> View:
        setup, fleet = self._model.setup, self._fleet
        expires = max(setup.sampling.expires_seconds, 2 * self._model.policy.sample_seconds)
        arrived = self.traffic.arrived
        return View(
            now_seconds=now,
            replicas=tuple(pod.seen(now, expires, setup.product) for pod in fleet.pods),
            current=fleet.target,
            floor=setup.floor,
            maximum=setup.maximum,
            warm=setup.warm,
            asleep=setup.asleep,
            held=len(self.traffic.held),
            arrived=arrived,
            prompt_tokens=self._prompts[arrived],
            output_tokens=self._outputs[arrived],
        )

    def _note(self, now: float) -> None:
        pods = self._fleet.pods
        self._moments.append(
            Moment(
                at_seconds=now,
                target=self._fleet.target,
                ready=sum(pod.tier is Tier.SERVING and pod.stage is Stage.READY for pod in pods),
                held_gpus=sum(pod.has_gpu for pod in pods),
                in_flight=sum(pod.in_flight for pod in pods),
                arrived=self.traffic.arrived,
            )
        )
        self._agenda.at(now + _MOMENT_SECONDS, self._note)

    def _give_up(self, now: float) -> None:
        self.traffic.give_up(now)
        self._agenda.at(now + _PATIENCE_SECONDS, self._give_up)

    def result(self, seed: int) -> Result:
        trace = self._model.trace
        for pod in self._fleet.pods:
            if pod.server is not None:
                self._fleet.ledger.preempted += pod.server.preemptions
        self._fleet.settle(self.end)
        named = Named(self._model.policy.name, trace.name, seed, trace.duration_seconds)
        return result_of(named, self._model.setup, self.traffic, self._fleet.ledger, self._moments)


def initial_replicas(trace: Trace, setup: Setup) -> int:
    """What the first minutes need, the same for every policy."""
    most = max(setup.floor, setup.maximum - setup.warm - setup.asleep)
    if setup.initial is not None:
        return min(setup.initial, most)
    early = sum(arrival < _FIRST_MINUTES for arrival in trace.arrivals)
    each = capacity(setup.replica, trace.mean_prompt, trace.mean_output, setup.objective.itl_seconds)
    span = min(_FIRST_MINUTES, max(trace.duration_seconds, 1.0))
    needed = ceil(early / span / (each.rate_per_second * _INITIAL_UTILIZATION))
    return max(setup.floor, min(needed, most))


def _chance(seed: int, index: int, what: str) -> random.Random:
    return random.Random(f"{seed} {index} {what}")  # noqa: S311 - to repeat, not to hide


def _check(trace: Trace, setup: Setup) -> None:
    if trace.longest() > setup.replica.kv_tokens:
        found = f"a request has {trace.longest()} tokens"
        holds = f"the KV cache of {setup.product} holds {setup.replica.kv_tokens}"
        raise TraceError([f"{trace.name}: {found} and {holds}: leave it out or choose a larger GPU"])
