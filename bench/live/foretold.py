"""What the simulator makes of the same spike, in seconds: the same decisions, engines, clients' patience and start."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bench.live.trace import PHASES, Arrival
from stoker.core.scaling.observation import Prior, Stage
from stoker.core.scaling.tuning import DEFAULT, Tuning
from stoker.sim.policies.stoker import Stoker
from stoker.sim.result import Result
from stoker.sim.setup import Routing, Sampling, Setup, Starting, Way
from stoker.sim.trace import Trace
from stoker.sim.world import Model, simulate
from stoker_runtime.simulated.timing import PROFILES, Replica

STREAMS = 8
STEP_SECONDS = 0.025
PATIENCE_SECONDS = 120.0
# Of the live replica, from the order to the first request: what is not its engine's start.
SCHEDULING_SECONDS, BEYOND_ENGINE_SECONDS = 1.0, 3.0


@dataclass(frozen=True)
class Circumstances:
    warm: int
    most: int
    start_seconds: float
    down_delay_seconds: float
    seed: int
    tuning: Tuning = DEFAULT
    reading_seconds: float = Sampling().delay_seconds
    """How old a replica's load is when decisions are made of it."""
    lets_go_seconds: float = Way().lets_go_seconds


def engine() -> Replica:
    profile = PROFILES["h100"]
    return replace(profile, cost=replace(profile.cost, base_seconds=STEP_SECONDS), max_sequences=STREAMS)


def foretold(arrivals: Iterable[Arrival], told: Circumstances) -> Result:
    rows = tuple(arrivals)
    trace = Trace(
        "live spike",
        sum(seconds for seconds, _ in PHASES),
        tuple(at for at, _, _ in rows),
        tuple(prompt for _, prompt, _ in rows),
        tuple(answer for _, _, answer in rows),
    )
    cold_seconds = told.start_seconds + BEYOND_ENGINE_SECONDS
    setup = Setup(
        replica=engine(),
        product="",
        maximum=told.most,
        warm=told.warm,
        initial=1,
        starting=Starting(
            cold_seconds, spread=0.02, scheduling_seconds=SCHEDULING_SECONDS, pulling_share=0.03, first_step_seconds=0.0
        ),
        way=Way(
            routing=Routing.POOLED,  # as the live clients do
            lets_go_seconds=told.lets_go_seconds,
            join_seconds=0.5,
            patience_seconds=PATIENCE_SECONDS,
        ),
        sampling=Sampling(delay_seconds=told.reading_seconds),
        drain_seconds=60.0,
        exclude_seconds=0.0,
        grace_seconds=PATIENCE_SECONDS,
    )
    # Nobody knows such an engine before it is measured, but its first replica's start was seen.
    lead = {Stage.QUEUED: 1.0, Stage.PROVISIONING: 0.0, Stage.PULLING: 1.0, Stage.LOADING: cold_seconds - 2.0}
    prior = Prior(max_concurrency=STREAMS, lead_seconds=lead)
    policy = Stoker(setup, told.tuning, prior=prior, down_delay_seconds=told.down_delay_seconds)
    return simulate(Model(trace, policy, setup), told.seed, timeline=True)
