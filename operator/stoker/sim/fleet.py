"""The replicas of one model: ordered, started, promoted, demoted, drained.

What is wanted is filled with what is soonest there: serving replicas with most in flight, warm ones, those that wake,
sleepers, starting ones by age, new ones. What is left over leaves: starting ones at once, the others off traffic first.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from stoker.core.names import Tier
from stoker.core.pool.aside import aside
from stoker.core.pool.seat import Want
from stoker.core.scaling.observation import Stage
from stoker.sim.agenda import Agenda
from stoker.sim.ledger import Ledger
from stoker.sim.pod import Pod
from stoker.sim.policy import Order
from stoker.sim.pool import GpuPool
from stoker.sim.server import Server
from stoker.sim.setup import Setup
from stoker.sim.traffic import Traffic

Change = Callable[[Pod, float], None]
_LOADED = (Tier.SERVING, Tier.WARM)


@dataclass(frozen=True)
class Ground:
    """What all models share."""

    agenda: Agenda
    pool: GpuPool


class Fleet:
    def __init__(self, name: str, setup: Setup, traffic: Traffic, ground: Ground, chance: random.Random) -> None:
        self._name = name
        self._setup = setup
        self._traffic = traffic
        self._agenda = ground.agenda
        self._pool = ground.pool
        self._chance = chance
        self._made = 0
        self.pods: list[Pod] = []
        self.target = 0
        self.ledger = Ledger(setup.exclude_seconds, math.inf)
        traffic.drained = self._drained

    def begin(self, serving: int, now: float) -> None:
        """As if it had run for long."""
        self.target = serving
        self.ledger.ordered(serving, now)
        for tier, count in ((Tier.SERVING, serving), (Tier.WARM, self._setup.warm), (Tier.ASLEEP, self._setup.asleep)):
            for _ in range(count):
                pod = self._new(tier, now)
                self._pool.ask(pod, partial(self._hold, pod), now)
                self._loaded(pod, now, first_step_seconds=0.0)

    def apply(self, order: Order, now: float) -> None:
        setup = self._setup
        serving = max(min(order.serving, setup.maximum), min(setup.floor, setup.maximum), 0)
        warm = max(0, min(order.warm, setup.maximum - serving))
        self.target = serving
        self.ledger.ordered(serving, now)
        loaded = [pod for pod in self.pods if pod.ready and pod.tier in _LOADED]
        resting = [pod for pod in loaded if pod.uid in order.resting]
        count, others = aside(len(resting), len(loaded) - len(resting), Want(serving, warm))
        serving, warm, off_traffic = others.serving, others.warm, resting[:count]
        staying = sorted(
            (pod for pod in self.pods if pod.tier is not Tier.DRAINING and pod not in off_traffic), key=_soonest
        )
        to_serve, rest = staying[:serving], staying[serving:]
        to_warm = sorted((pod for pod in rest if pod.tier is not Tier.ASLEEP), key=_warmest)[:warm]
        for pod in to_serve:
            self._serve(pod, now)
        for pod in (*to_warm, *off_traffic):
            self._warm(pod, now)
        self._part_with([pod for pod in rest if pod not in to_warm], now)
        staying_count = sum(pod.tier is not Tier.DRAINING for pod in self.pods)
        room = setup.maximum - staying_count
        for _ in range(min(serving - len(to_serve), room)):
            self._order(Tier.SERVING, now)
            room -= 1
        for _ in range(min(warm - len(to_warm), room)):
            self._order(Tier.WARM, now)

    def _part_with(self, pods: list[Pod], now: float) -> None:
        """Sleepers stay asleep while there may be so many, then others may become sleepers; the rest goes."""
        beds = self._setup.asleep - sum(pod.tier is Tier.DRAINING and pod.sleeps for pod in self.pods)
        for pod in sorted(pods, key=lambda pod: pod.tier is not Tier.ASLEEP):
            sleeps = beds > 0 and (pod.tier is Tier.ASLEEP or pod.ready or pod.wakes)
            beds -= sleeps
            self._leave(pod, now, sleeps=sleeps)

    def crash(self, now: float) -> None:
        """The busiest replica's process dies; its container starts again where it is."""
        serving = [pod for pod in self.pods if pod.routable]
        if not serving:
            return
        pod = max(serving, key=lambda pod: pod.in_flight)
        self._turn(pod, now)
        self._off_traffic(pod)
        self._gone(pod)
        pod.move(Stage.LOADING, now)
        self._later(pod, now + self._loading_seconds(now), self._started)

    def settle(self, now: float) -> None:
        """Books what was spent until now."""
        for pod in self.pods:
            self._charge(pod, now)

    def _new(self, tier: Tier, now: float) -> Pod:
        self._made += 1
        pod = Pod(self._made, self._name, tier, now)
        self.pods.append(pod)
        return pod

    def _order(self, tier: Tier, now: float) -> None:
        pod = self._new(tier, now)
        self._pool.ask(pod, partial(self._schedule, pod), now)

    def _hold(self, pod: Pod, _now: float) -> None:
        pod.has_gpu = True

    def _schedule(self, pod: Pod, now: float) -> None:
        self._charge(pod, now)
        self._hold(pod, now)
        self._later(pod, now + self._setup.starting.scheduling_seconds, self._pull)

    def _pull(self, pod: Pod, now: float) -> None:
        pod.move(Stage.PULLING, now)
        share = self._setup.starting.pulling_share
        self._later(pod, now + self._drawn(share * self._beyond_scheduling, now), self._load)

    def _load(self, pod: Pod, now: float) -> None:
        pod.move(Stage.LOADING, now)
        self._later(pod, now + self._loading_seconds(now), self._started)

    @property
    def _beyond_scheduling(self) -> float:
        return max(0.0, self._setup.starting.cold_seconds - self._setup.starting.scheduling_seconds)

    def _loading_seconds(self, now: float) -> float:
        return self._drawn((1 - self._setup.starting.pulling_share) * self._beyond_scheduling, now)

    def _drawn(self, seconds: float, now: float) -> float:
        return (
            seconds
            * self._chance.lognormvariate(0.0, self._setup.starting.spread)
            * (self._setup.faults.start_factor(now))
        )

    def _started(self, pod: Pod, now: float) -> None:
        self._loaded(pod, now, self._setup.starting.first_step_seconds)

    def _loaded(self, pod: Pod, now: float, first_step_seconds: float) -> None:
        """With a new process, whose caches are empty."""
        self._charge(pod, now)
        pod.boot += 1
        pod.prefixes.clear()
        pod.server = Server(self._setup.replica, self._setup.objective.itl_seconds, first_step_seconds)
        pod.server.owner = pod
        pod.move(Stage.READY, now)
        if pod.tier is Tier.SERVING:
            self._later(pod, now + self._setup.way.join_seconds, self._on_traffic)

    def _woken(self, pod: Pod, now: float) -> None:
        self._charge(pod, now)
        pod.wakes = False
        pod.move(Stage.READY, now)
        if pod.tier is Tier.SERVING:
            self._later(pod, now + self._setup.way.join_seconds, self._on_traffic)

    def _serve(self, pod: Pod, now: float) -> None:
        if pod.tier is Tier.SERVING:
            return
        self._charge(pod, now)
        was, pod.tier = pod.tier, Tier.SERVING
        if was is Tier.ASLEEP:
            pod.wakes = True
            self._turn(pod, now)
            pod.move(Stage.LOADING, now)
            self._later(pod, now + self._drawn(self._setup.starting.wake_seconds, now), self._woken)
        elif pod.ready:
            self._turn(pod, now)
            self._later(pod, now + self._setup.way.join_seconds, self._on_traffic)

    def _warm(self, pod: Pod, now: float) -> None:
        if pod.tier is Tier.WARM:
            return
        self._charge(pod, now)
        pod.tier = Tier.WARM
        if pod.ready:
            self._turn(pod, now)
            self._later(pod, now + self._setup.way.leave_seconds, self._off_traffic)

    def _leave(self, pod: Pod, now: float, *, sleeps: bool) -> None:
        if pod.tier is Tier.ASLEEP and sleeps:
            return
        self._charge(pod, now)
        self._turn(pod, now)
        if pod.tier is Tier.ASLEEP or not (pod.ready or pod.wakes):
            self._remove(pod, now)  # it has nothing in flight, and one that never was ready has nothing to keep asleep
            return
        pod.tier = Tier.DRAINING
        pod.sleeps = sleeps
        pod.deadline = now + self._setup.drain_seconds
        self._later(pod, now + self._setup.way.leave_seconds, self._drain)

    def _drain(self, pod: Pod, now: float) -> None:
        self._off_traffic(pod)
        pod.leaving = True
        if pod.in_flight == 0:
            self._drained(pod, now)
        else:
            self._later(pod, pod.deadline, self._drained)

    def _drained(self, pod: Pod, now: float) -> None:
        pod.leaving = False
        self._turn(pod, now)
        if pod.sleeps and pod.in_flight == 0:
            self._later(pod, now + self._setup.starting.sleep_seconds, self._asleep)
        else:
            self._remove(pod, now)

    def _asleep(self, pod: Pod, now: float) -> None:
        self._charge(pod, now)
        pod.wakes = False
        pod.tier = Tier.ASLEEP
        pod.prefixes.clear()
        pod.move(Stage.READY, now)

    def _remove(self, pod: Pod, now: float) -> None:
        self._charge(pod, now)
        self._off_traffic(pod)
        self._gone(pod)
        self.pods.remove(pod)
        if pod.has_gpu:
            pod.has_gpu = False
            self._pool.give_back(now)
        else:
            self._pool.withdraw(pod)

    def _gone(self, pod: Pod) -> None:
        if pod.server is not None:
            self.ledger.preempted += pod.server.preemptions
            self._traffic.lose(pod.server)
            pod.server = None

    def _on_traffic(self, pod: Pod, now: float) -> None:
        if pod.server is not None:
            pod.routable = True
            self._traffic.join(pod.server, now)

    def _off_traffic(self, pod: Pod, _now: float = 0.0) -> None:
        pod.routable = False
        if pod.server is not None:
            self._traffic.part(pod.server)

    def _turn(self, pod: Pod, now: float) -> None:
        """What was to happen to it does not any more."""
        self._charge(pod, now)
        pod.turn += 1

    def _later(self, pod: Pod, moment: float, change: Change) -> None:
        turn = pod.turn

        def happen(now: float) -> None:
            if pod.turn == turn:
                change(pod, now)

        self._agenda.at(moment, happen)

    def _charge(self, pod: Pod, now: float) -> None:
        if pod.has_gpu:
            self.ledger.charge(pod.bucket, pod.charged_at, now)
        pod.charged_at = now


def _soonest(pod: Pod) -> tuple[int, float, int]:
    if pod.tier is Tier.ASLEEP:
        return 3, 0.0, pod.number
    if pod.ready:
        return (0, -float(pod.in_flight), pod.number) if pod.tier is Tier.SERVING else (1, 0.0, pod.number)
    return (2, pod.since, pod.number) if pod.wakes else (4, pod.created, pod.number)


def _warmest(pod: Pod) -> tuple[int, float, int]:
    kind, by, number = _soonest(pod)
    return (-1, by, number) if kind == 1 else (kind, by, number)
