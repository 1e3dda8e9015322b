"""Whole runs: what must hold whatever the policy does."""

import random
from dataclasses import dataclass, field, replace
from math import inf
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.sim.faults import Faults, Span
from stoker.sim.policies import NAMES, Situation, policy
from stoker.sim.policies.sharing import Sharing
from stoker.sim.policies.static import Static
from stoker.sim.policies.stoker import Stoker
from stoker.sim.policy import Order, View
from stoker.sim.setup import Routing, Sampling, Setup, Starting, Way
from stoker.sim.trace import Trace, TraceError
from stoker.sim.workloads import WORKLOADS, poisson
from stoker.sim.world import Model, simulate, simulate_fleet
from tests.unit.sim.fleets import Rig

SETUP = Setup(maximum=12, starting=Starting(cold_seconds=30.0))


def steady(rate: float, duration_seconds: float, seed: int = 1, output: int = 100) -> Trace:
    chance = random.Random(seed)  # noqa: S311 - to repeat
    arrivals = poisson(lambda _: rate, rate, duration_seconds, chance)
    count = len(arrivals)
    return Trace("steady", duration_seconds, tuple(arrivals), (500,) * count, (output,) * count)


@dataclass
class Erratic:
    """Orders anything."""

    name: ClassVar[str] = "erratic"
    orders: list[tuple[int, int]]
    tick_seconds: float = 7.0
    sample_seconds: float = 7.0
    views: list[View] = field(default_factory=list)

    def decide(self, view: View) -> Order:
        self.views.append(view)
        return Order(*self.orders[len(self.views) % len(self.orders)])


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_run(name: str) -> None:
    trace = steady(3.0, 600.0)
    situation = Situation(trace, SETUP)
    runs = [simulate(Model(trace, policy(name, situation), SETUP), 4, timeline=True) for _ in range(2)]
    assert runs[0] == runs[1]


def test_another_seed_starts_replicas_in_other_times() -> None:
    trace = steady(3.0, 600.0)
    runs = [simulate(Model(trace, Erratic([(1, 0)] * 20 + [(5, 1)] * 20), SETUP), seed) for seed in (1, 2)]
    assert runs[0].gpu_hours != runs[1].gpu_hours


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 14), st.integers(0, 3)), min_size=1, max_size=8),
    st.sampled_from(Routing),
    st.booleans(),
    st.lists(st.floats(10.0, 280.0), max_size=3),
)
def test_no_request_is_lost_or_counted_twice(
    orders: list[tuple[int, int]], routing: Routing, impatient: bool, crashes: list[float]
) -> None:
    way = Way(routing=routing, patience_seconds=4.0 if impatient else None, retries=1)
    setup = replace(
        SETUP, asleep=1, drain_seconds=5.0, way=way, floor=0, faults=Faults(crashes=tuple(crashes)), initial=2
    )
    trace = steady(6.0, 300.0)
    result = simulate(Model(trace, Erratic(orders), setup), 1)
    assert result.arrived == len(trace)
    assert result.arrived == result.finished + result.cut + result.unfinished + result.abandoned
    assert 0.0 <= result.share <= 1.0
    assert result.gpu_hours <= setup.maximum * result.hours + 1e-9


def test_in_flight_is_the_rate_times_the_time_within() -> None:
    arrivals = steady(9.0, 2_000.0).arrivals
    rig = Rig(SETUP, 3, *arrivals)
    seen = []
    for moment in range(200, 2_000):
        rig.until(float(moment))
        seen.append(sum(pod.in_flight for pod in rig.fleet.pods))
    rig.until(3_000.0)
    within = [one.ended - one.arrived for one in rig.traffic.requests if 200 <= one.arrived < 2_000]
    rate = len(within) / 1_800
    assert sum(seen) / len(seen) == pytest.approx(rate * sum(within) / len(within), rel=0.01)


def test_more_replicas_are_never_worse_for_a_fixed_count() -> None:
    trace = steady(18.0, 900.0, output=200)
    shares = [
        simulate(Model(trace, Static(replicas=count), replace(SETUP, initial=count)), 1).share for count in (1, 2, 3, 6)
    ]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] > 0.99


def test_a_request_that_fits_no_cache_is_refused_with_a_sentence() -> None:
    trace = Trace("long", 10.0, (1.0,), (200_000,), (10,))
    with pytest.raises(TraceError, match="200010 tokens and the KV cache of l40s holds 185000"):
        simulate(Model(trace, Static(), SETUP), 1)


def test_two_models_share_one_pool_and_never_hold_more_than_it_has() -> None:
    traces = [steady(5.0, 600.0, seed) for seed in (1, 2)]
    setup = replace(SETUP, initial=1)
    models = [Model(trace, Static(replicas=4, tick_seconds=10.0), setup) for trace in traces]
    results = simulate_fleet(models, 5, 1, timeline=True)
    held = [sum(moment.held_gpus for moment in pair) for pair in zip(*(one.moments for one in results), strict=True)]
    assert max(held) == 5
    assert [one.arrived for one in results] == [len(trace) for trace in traces]


def test_a_gpu_that_one_model_gives_back_serves_the_other() -> None:
    traces = [steady(2.0, 600.0, seed) for seed in (1, 2)]
    shrinks = Erratic([(1, 0)])
    grows = Static(replicas=4, tick_seconds=10.0)
    models = [Model(traces[0], shrinks, replace(SETUP, initial=3)), Model(traces[1], grows, replace(SETUP, initial=2))]
    _, grown = simulate_fleet(models, 5, 1, timeline=True)
    assert grown.moments[0].ready == 2
    assert grown.moments[30].ready == 4


def test_the_model_of_higher_priority_gets_the_gpus_that_two_of_ours_want() -> None:
    traces = [steady(40.0, 300.0, seed, output=200) for seed in (1, 2)]
    setup = replace(SETUP, initial=1, maximum=8)
    sharing = Sharing(8)
    policies = [Stoker(setup, sharing=sharing, model=f"model-{priority}", priority=priority) for priority in (10, 0)]
    models = [Model(trace, policy, setup) for trace, policy in zip(traces, policies, strict=True)]
    high, low = simulate_fleet(models, 8, 1, timeline=True)
    assert max(one.held_gpus + other.held_gpus for one, other in zip(low.moments, high.moments, strict=True)) <= 8
    assert high.moments[-1].ready > low.moments[-1].ready >= 1
    assert high.share > low.share


def test_a_gap_in_the_metrics_shows_readings_that_expire() -> None:
    watcher = Erratic([(2, 0)])
    setup = replace(SETUP, initial=2, faults=Faults(metrics_gaps=(Span(100.0, 200.0),)))
    simulate(Model(steady(2.0, 300.0), watcher, setup), 1)
    seen = {round(view.now_seconds): len(view.loads) for view in watcher.views}
    assert seen[98] == 2
    assert seen[154] == 0
    assert seen[203] == 2


def test_a_look_arrives_late_and_a_lost_one_leaves_the_last() -> None:
    watcher = Erratic([(1, 0)])
    setup = replace(SETUP, initial=1, sampling=Sampling(delay_seconds=3.0, loss=0.5))
    simulate(Model(steady(2.0, 600.0), watcher, setup), 1)
    ages = [view.now_seconds - load.at_seconds for view in watcher.views for load in view.loads]
    assert min(ages) >= 3.0
    assert max(ages) > 7.0


def test_answers_that_take_longer_than_the_looks_are_apart_arrive_all_the_same() -> None:
    watcher = Erratic([(1, 0)])
    setup = replace(SETUP, initial=1, sampling=Sampling(delay_seconds=20.0, expires_seconds=60.0))
    simulate(Model(steady(2.0, 300.0), watcher, setup), 1)
    ages = {round(view.now_seconds - load.at_seconds) for view in watcher.views for load in view.loads}
    assert ages == {20}


def test_requests_wait_at_the_gateway_while_nothing_serves() -> None:
    setup = replace(SETUP, floor=0, initial=0)
    result = simulate(Model(steady(1.0, 300.0), Erratic([(0, 0), (1, 0)]), replace(setup, maximum=2)), 1)
    assert result.cut == 0
    assert result.finished > 0


def test_new_replicas_have_lost_the_prefix_cache() -> None:
    plain = steady(3.0, 900.0)
    shared = replace(plain, prefixes=tuple(index % 50 for index in range(len(plain))), prefix_share=0.9)
    settled = replace(SETUP, initial=1)
    with_hits = simulate(Model(shared, Static(replicas=1), settled), 1)
    without = simulate(Model(plain, Static(replicas=1), settled), 1)
    assert with_hits.ttft_p50_seconds is not None
    assert without.ttft_p50_seconds is not None
    assert with_hits.ttft_p50_seconds < without.ttft_p50_seconds
    crashed = simulate(
        Model(shared, Static(replicas=1), replace(settled, faults=Faults(crashes=tuple(range(300, 900, 100))))), 1
    )
    assert crashed.ttft_p50_seconds is not None
    assert crashed.ttft_p50_seconds > with_hits.ttft_p50_seconds


def test_clients_that_give_up_and_try_again_are_late_not_lost() -> None:
    setup = replace(SETUP, initial=1, maximum=1, way=Way(patience_seconds=10.0, retries=2))
    result = simulate(Model(steady(8.0, 300.0, output=300), Static(replicas=1), setup), 1)
    assert result.abandoned > 0
    assert result.arrived == result.finished + result.unfinished + result.abandoned


def test_the_least_loaded_router_is_better_than_chance_and_chance_better_than_kept_connections() -> None:
    trace = steady(14.0, 900.0, output=200)
    tails = []
    for routing in (Routing.LEAST_LOAD, Routing.RANDOM, Routing.STICKY):
        setup = replace(SETUP, initial=5, way=Way(routing=routing, connections=16))
        result = simulate(Model(trace, Static(replicas=5), setup), 1)
        tails.append(result.ttft_p99_seconds or 0.0)
    assert tails == sorted(tails)


def test_a_pool_spreads_better_where_replicas_with_a_queue_let_go_of_its_connections() -> None:
    few = replace(SETUP, initial=5, replica=replace(SETUP.replica, max_sequences=8))
    shares = []
    for seconds in (inf, 1.0):
        setup = replace(few, way=Way(routing=Routing.POOLED, lets_go_seconds=seconds))
        shares.append(simulate(Model(steady(6.0, 900.0, output=200), Static(replicas=5), setup), 1).share)
    kept, let_go = shares
    assert let_go > kept + 0.05


def test_an_hour_of_twenty_requests_a_second_takes_seconds() -> None:
    import time  # noqa: PLC0415 - the only test that needs a real clock

    trace = steady(20.0, 3_600.0, output=210)
    began = time.process_time()
    simulate(Model(trace, Static(replicas=8), replace(SETUP, initial=8)), 1)
    assert time.process_time() - began < 10.0


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_workload_is_what_its_seed_says(name: str) -> None:
    workload = WORKLOADS[name]
    assert workload.trace(3) == workload.trace(3)
    assert workload.trace(3) != workload.trace(4)
    trace = workload.trace(3)
    assert list(trace.arrivals) == sorted(trace.arrivals)
    assert 0 <= trace.arrivals[0] <= trace.arrivals[-1] < trace.duration_seconds
    assert trace.longest() < 185_000
