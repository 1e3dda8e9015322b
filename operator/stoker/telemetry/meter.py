"""What adds up over time, for each model: device-seconds, cost, start-ups, decisions.

It is told the time and never asks for it. A model that is gone is forgotten, and its series with it. Sums begin at 0
where they can, since Prometheus sees no increase in a series that begins with one.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from stoker.core.follow.replicas import stage_of
from stoker.core.plan.replicas import lives
from stoker.core.plan.snapshot import Pod
from stoker.core.pool.replaced import Replaced
from stoker.core.scaling.explain import Explanation
from stoker.core.scaling.observation import Stage
from stoker.telemetry.catalogue import STARTUP
from stoker.telemetry.devices import Held, Prices, State
from stoker.telemetry.page import Counted

K = TypeVar("K", bound=Hashable)

HOUR_SECONDS = 3600.0
# Time that nobody measured, as while this process stood still, is not held against anybody.
LONGEST_STEP_SECONDS = 60.0
# A pod that is younger at its first sight has been seen from its first stage on.
YOUNG_SECONDS = 10.0


@dataclass
class _Starting:
    stage: Stage
    since_seconds: float | None  # None: nobody saw it begin


@dataclass
class Account:
    """One model's sums since this operator began to lead."""

    seconds: defaultdict[tuple[State, str], float] = field(default_factory=lambda: defaultdict(float))
    cost: defaultdict[State, float] = field(default_factory=lambda: defaultdict(float))
    startups: dict[Stage, Counted] = field(default_factory=dict)
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    replaced: dict[Replaced, int] = field(default_factory=lambda: dict.fromkeys(Replaced, 0))
    held: tuple[Held, ...] = ()
    starting: dict[str, _Starting] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)

    def begins(self) -> None:
        """From the first start on: models that start nothing need no series of it."""
        for stage in Stage:
            self.startups.setdefault(stage, Counted(STARTUP.bounds))

    def took(self, stage: Stage, seconds: float) -> None:
        self.startups[stage].observe(max(0.0, seconds))


class Meter(Generic[K]):
    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self._accounts: dict[K, Account] = {}
        self._at_seconds: float | None = None

    def account(self, key: K) -> Account:
        return self._accounts.setdefault(key, Account())

    def passed(self, now_seconds: float) -> float:
        """Since the last call: what the next looks at models are to be given."""
        before, self._at_seconds = self._at_seconds, now_seconds
        return 0.0 if before is None else min(max(0.0, now_seconds - before), LONGEST_STEP_SECONDS)

    def hold(self, key: K, held: Iterable[Held], step_seconds: float) -> None:
        """What was held at the last look was held until now."""
        account = self.account(key)
        before, account.held = account.held, tuple(held)
        for each in before:
            self._add(account, each, each.devices * step_seconds)
        for each in account.held:
            self._add(account, each, 0.0)

    def _add(self, account: Account, held: Held, device_seconds: float) -> None:
        account.seconds[held.state, held.product] += device_seconds
        if (price := self.prices.of(held.product)) is not None:
            account.cost[held.state] += device_seconds * price / HOUR_SECONDS

    def watch(self, key: K, pods: Iterable[Pod], wall: datetime, now_seconds: float) -> None:
        """Follows new replicas through the stages of their start-up."""
        account = self.account(key)
        seen = set()
        for pod in pods:
            if not pod.tier or not lives(pod):
                continue
            seen.add(pod.identity.uid)
            if pod.identity.uid not in account.started:
                _follow(account, pod, wall, now_seconds)
        account.started &= seen
        account.starting = {uid: each for uid, each in account.starting.items() if uid in seen}

    def decided(self, key: K, explanation: Explanation) -> None:
        if explanation.serving == explanation.before:
            return
        direction = "up" if explanation.serving > explanation.before else "down"
        for reason in explanation.reasons:
            self.account(key).decisions[direction, str(reason)] += 1

    def replaced(self, key: K, reason: Replaced) -> None:
        self.account(key).replaced[reason] += 1

    def forget_all_but(self, keys: Collection[K]) -> None:
        for key in self._accounts.keys() - set(keys):
            del self._accounts[key]


def _follow(account: Account, pod: Pod, wall: datetime, now_seconds: float) -> None:
    uid, stage = pod.identity.uid, stage_of(pod)
    known = account.starting.get(uid)
    if known is None:
        age_seconds = (wall - pod.created).total_seconds()
        young = age_seconds <= YOUNG_SECONDS
        if stage is Stage.READY and not young:
            account.started.add(uid)  # it was there before this operator looked
            return
        account.begins()
        account.starting[uid] = _Starting(stage, now_seconds - age_seconds if young else None)
    elif stage is not known.stage:
        if known.since_seconds is not None:
            account.took(known.stage, now_seconds - known.since_seconds)
        account.starting[uid] = _Starting(stage, now_seconds)
    if stage is Stage.READY:
        del account.starting[uid]
        account.started.add(uid)
        account.took(Stage.READY, ((pod.ready_since or wall) - pod.created).total_seconds())
