"""Stoker itself: the very code that the operator runs, fed with what its agents would report."""

from dataclasses import dataclass, field
from typing import ClassVar

from stoker.core.scaling.decide import demand
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Aims, Limits, Observation, Prior
from stoker.core.scaling.tuning import DEFAULT, Tuning
from stoker.sim.capacity import capacity
from stoker.sim.policies.sharing import Sharing
from stoker.sim.policy import Order, View
from stoker.sim.setup import Setup

# What the GPU catalogue would say of a model that nobody has measured: traffic of ordinary chats.
_GUESSED_PROMPT_TOKENS = 1_000
_GUESSED_OUTPUT_TOKENS = 200


@dataclass
class Stoker:
    name: ClassVar[str] = "stoker"
    setup: Setup
    tuning: Tuning = DEFAULT
    sharing: Sharing | None = None  # None: it has the GPUs for itself
    prior: Prior | None = None  # None: what the GPU catalogue would say
    down_delay_seconds: float = 120.0
    model: str = "model"
    priority: int = 0
    tick_seconds: float = 2.0
    sample_seconds: float = 2.0
    _memory: Memory = field(default_factory=Memory.empty)
    _prior: Prior = field(init=False)
    _aims: Aims = field(init=False)
    _shares: Sharing = field(init=False)

    def __post_init__(self) -> None:
        setup, objective = self.setup, self.setup.objective
        guessed = capacity(setup.replica, _GUESSED_PROMPT_TOKENS, _GUESSED_OUTPUT_TOKENS, objective.itl_seconds)
        catalogue = Prior(guessed.concurrency, guessed.rate_per_second, setup.replica.max_sequences)
        self._prior = self.prior or catalogue
        self._shares = self.sharing or Sharing(setup.maximum)
        self._aims = Aims(
            objective.ttft_seconds,
            objective.itl_seconds,
            objective.percentile,
            down_delay_seconds=self.down_delay_seconds,
        )

    def decide(self, view: View) -> Order:
        limits = Limits(floor=view.floor, maximum=view.maximum, warm=view.warm, asleep=view.asleep)
        observation = Observation(view.now_seconds, view.replicas, limits, self._aims, self._prior)
        wanted, self._memory = demand(observation, self._memory, self.tuning)
        granted = self._shares.grant(self.model, self.priority, wanted, view)
        return Order(granted.serving, granted.warm, wanted.resting)
