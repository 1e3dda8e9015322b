"""What other scalers are known to get wrong, one test each."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from stoker.core.scaling.decide import demand
from stoker.core.scaling.demands import Reason
from stoker.core.scaling.limits import held_by_others
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Limits, Prior, Reading, Rolling, Stage
from stoker.core.scaling.restart import kept, recalled
from tests.unit.scaling.builders import LIMITS, PRIOR, Watched, load, observation, replica, replicas
from tests.unit.scaling.toy_cluster import ToyCluster, reversals

BUSY = 12.0
"""Requests per second that need more than three replicas of four per second."""


def busy(count: int = 4, **fields: Any) -> Watched:
    watched = Watched(count, **fields)
    watched.run(600, BUSY, in_flight=20)
    assert watched.said is not None
    assert watched.said.serving >= count
    return watched


def test_metrics_gone_never_scale_down() -> None:
    watched = busy()
    before = watched.memory.wanted
    for _ in range(900):
        watched.now += 2.0
        said = watched.decide(watched.unread())
        assert said.serving == before
    assert Reason.BLIND in said.reasons


@pytest.mark.parametrize("reading", [Reading.UNKNOWN, Reading.SATURATED, Reading.EXPIRED])
def test_a_reading_that_is_missing_is_not_zero(reading: Reading) -> None:
    watched = busy()
    before = watched.memory.wanted
    for _ in range(900):
        watched.now += 2.0
        assert watched.decide(watched.unread(reading)).serving >= (before or 0)


def test_a_reading_of_zero_is_not_missing() -> None:
    watched = busy()
    watched.run(3600, 0.0)
    assert watched.said is not None
    assert watched.said.serving == 1


def test_after_an_outage_the_clocks_of_the_levels_begin_where_they_stood() -> None:
    watched = busy()
    for _ in range(900):
        watched.now += 2.0
        watched.decide(watched.unread())
    before = watched.memory.wanted
    assert watched.tick(0.0).serving == before


def test_an_outage_with_a_restart_inside_it_scales_nothing_down() -> None:
    watched = busy()
    before = watched.memory.wanted
    status = kept(watched.memory, PRIOR)
    watched.memory = recalled(status, observation(0.0, ()).aims)
    for _ in range(300):
        watched.now += 2.0
        assert watched.decide(watched.unread()).serving == before
    assert watched.tick(0.0).serving == before


def test_a_restart_under_load_resets_nothing() -> None:
    watched = busy()
    before = watched.memory.wanted
    watched.memory = recalled(kept(watched.memory, PRIOR), observation(0.0, ()).aims)
    for _ in range(60):
        assert watched.tick(BUSY, in_flight=20).serving >= (before or 0)


def test_a_restart_that_lost_even_its_status_keeps_the_replicas_that_there_are() -> None:
    watched = busy()
    watched.memory = Memory.empty()
    assert watched.tick(0.0).serving == 4


def test_an_edit_of_the_limits_under_load_resets_nothing() -> None:
    watched = busy()
    before = watched.memory.wanted or 0
    watched.fields = {"limits": replace(LIMITS, floor=2, maximum=19, warm=1)}
    assert watched.tick(BUSY, in_flight=20).serving == before
    watched.fields = {"limits": LIMITS}
    assert watched.tick(BUSY, in_flight=20).serving == before


def test_starting_replicas_count_so_that_a_backlog_does_not_double_the_order_again_and_again() -> None:
    watched = Watched(2)
    watched.run(60, 7.0, in_flight=15)
    orders = []
    for tick in range(30):
        watched.served(7.5, in_flight=15 + 2 * tick)
        wanted = watched.memory.wanted or 2
        starting = replicas(wanted - 2, stage=Stage.LOADING, since_seconds=60.0, reading=Reading.UNKNOWN)
        named = tuple(replace(one, uid=f"new-{one.uid}") for one in starting)
        orders.append(watched.decide(watched.seen + named).serving)
    assert max(orders) <= 4


@pytest.mark.parametrize("rolling", [Rolling.BESIDE, Rolling.INSTEAD])
def test_surge_replicas_of_a_rollout_are_not_capacity(rolling: Rolling) -> None:
    watched = busy()
    before = watched.memory.wanted
    watched.fields = {"limits": replace(LIMITS, rolling=rolling)}
    surge = tuple(
        replace(one, uid=f"surge-{one.uid}", revision="s", stage=Stage.LOADING, reading=Reading.UNKNOWN, load=None)
        for one in watched.seen
    )
    for _ in range(100):
        watched.served(BUSY, in_flight=20)
        said = watched.decide(watched.seen + surge)
        assert said.serving == before


@pytest.mark.parametrize("rolling", [Rolling.BESIDE, Rolling.INSTEAD])
def test_surge_replicas_that_are_ready_raise_nothing(rolling: Rolling) -> None:
    watched = busy()
    before = watched.memory.wanted
    surge = tuple(replace(one, uid=f"surge-{one.uid}", revision="s") for one in watched.seen)
    watched.seen += surge
    watched.fields = {"limits": replace(LIMITS, rolling=rolling)}
    watched.run(60, BUSY, in_flight=10)
    assert watched.memory.wanted == before
    watched.seen = watched.seen[:4]
    watched.fields = {}
    assert watched.tick(BUSY, in_flight=20).serving == before


def test_a_rollout_takes_nothing_away_however_little_there_is_to_do() -> None:
    watched = busy()
    before = watched.memory.wanted
    watched.fields = {"limits": replace(LIMITS, rolling=Rolling.BESIDE)}
    watched.run(900, 0.5, in_flight=1)
    assert watched.memory.wanted == before
    watched.fields = {}
    watched.run(60, 0.5, in_flight=1)
    assert (watched.memory.wanted or 0) < (before or 0), "it is what the rollout held"


def test_a_load_that_grows_in_a_rollout_is_followed_where_there_is_room() -> None:
    watched = busy()
    before = watched.memory.wanted or 0
    watched.fields = {"limits": replace(LIMITS, rolling=Rolling.BESIDE)}
    watched.run(60, 3 * BUSY, in_flight=40)
    assert (watched.memory.wanted or 0) > before


def test_a_rollout_that_has_no_room_orders_nothing_and_gives_up_only_what_has_found_no_place() -> None:
    limits = replace(LIMITS, rolling=Rolling.INSTEAD)
    assert held_by_others(9, 5, 0, limits) == 5
    assert held_by_others(2, 5, 0, limits) == 5
    assert held_by_others(2, 5, 1, limits) == 4


def test_a_freeze_holds_the_number() -> None:
    limits = replace(LIMITS, frozen=True, rolling=Rolling.BESIDE)
    assert [held_by_others(wanted, 5, 3, limits) for wanted in (0, 5, 9)] == [5, 5, 5]


def test_all_unready_is_not_zero() -> None:
    watched = busy()
    before = watched.memory.wanted
    unready = tuple(
        replace(one, stage=Stage.LOADING, since_seconds=watched.now, reading=Reading.UNKNOWN, load=None)
        for one in watched.seen
    )
    for _ in range(900):
        watched.now += 2.0
        assert watched.decide(unready).serving == before


def test_no_replica_listed_is_not_zero() -> None:
    watched = busy()
    before = watched.memory.wanted
    for _ in range(900):
        watched.now += 2.0
        assert watched.decide(()).serving == before


def test_the_metrics_of_deleted_replicas_are_forgotten() -> None:
    watched = Watched(4)
    watched.run(300, 2.0, in_flight=60)
    gone, watched.seen = watched.seen[2:], watched.seen[:2]
    said = watched.tick(2.0, in_flight=1)
    assert said.explanation.in_flight == 2
    assert not {one.uid for one in gone} & watched.memory.seen.keys()


def test_a_gauge_that_is_stuck_asks_for_nothing() -> None:
    watched = Watched(1)
    watched.run(60, 0.5, in_flight=1)
    watched.run(600, 0.0, in_flight=900)
    assert watched.said is not None
    assert watched.said.explanation.stuck_replicas == 1
    assert watched.said.explanation.in_flight == 0
    after = watched.memory.wanted
    watched.run(1200, 0.0, in_flight=900)
    assert watched.memory.wanted is not None
    assert after is not None
    assert watched.memory.wanted <= after


def test_saturation_is_seen_while_the_kv_cache_reads_a_third() -> None:
    watched = Watched(2)
    watched.run(60, 4.0, in_flight=20, queued=0, kv_share=0.32)
    before = watched.memory.wanted or 0
    watched.run(20, 4.0, in_flight=30, queued=30, kv_share=0.32)
    assert (watched.memory.wanted or 0) > before


def test_replicas_that_no_reading_ever_matches_do_not_look_healthy_and_idle() -> None:
    watched = Watched(3)
    for _ in range(900):
        watched.now += 2.0
        said = watched.decide(watched.unread())
    assert said.serving == 3
    assert Reason.BLIND in said.reasons


@pytest.mark.parametrize("rate_per_second", [3.5, 5.5, 7.0, 9.5])
def test_a_constant_load_does_not_go_up_and_down(rate_per_second: float) -> None:
    cluster = ToyCluster(seed=1, count=2)
    cluster.run(1200, rate_per_second)
    settled = len(cluster.numbers)
    cluster.run(3600, rate_per_second)
    assert reversals(cluster.numbers[settled:]) <= 3


def test_a_replica_that_finds_no_node_freezes_nothing() -> None:
    watched = Watched(2)
    watched.run(120, 7.0, in_flight=15)
    stuck = replica("p", stage=Stage.PROVISIONING, since_seconds=0.0, reading=Reading.UNKNOWN)
    watched.run(600, 7.0, in_flight=15)
    for _ in range(100):
        watched.served(15.0, in_flight=60)
        said = watched.decide((*watched.seen, stuck))
    assert said.serving >= 4


def test_a_replica_that_finds_no_node_does_not_multiply_the_order() -> None:
    watched = Watched(2, limits=Limits(floor=1, maximum=20, max_pending=2))
    pending = replicas(2, stage=Stage.PROVISIONING, since_seconds=0.0, reading=Reading.UNKNOWN)
    pending = tuple(replace(one, uid=f"pending-{one.uid}") for one in pending)
    for _ in range(600):
        watched.served(40.0, in_flight=200)
        said = watched.decide(watched.seen + pending)
    assert said.serving == 4
    assert Reason.PENDING in said.reasons


def test_a_number_that_another_scaler_wrote_is_not_taken_for_ours() -> None:
    watched = busy()
    before = watched.memory.wanted
    watched.seen += tuple(replace(one, uid=f"foreign-{one.uid}") for one in watched.seen)
    assert watched.tick(BUSY, in_flight=10).serving == before


def test_a_wake_up_that_fails_orders_no_second_replica() -> None:
    watched = busy()
    before = watched.memory.wanted
    waking = replica("w", stage=Stage.LOADING, since_seconds=watched.now, reading=Reading.UNKNOWN)
    for _ in range(60):
        watched.served(BUSY, in_flight=20)
        said = watched.decide((*watched.seen, waking))
    assert said.serving == before


def test_cold_samples_teach_no_capacity() -> None:
    watched = Watched(2)
    watched.seen = replicas(2, since_seconds=0.0, load=load())
    for _ in range(25):
        gaps = watched.now * 5
        watched.tick(1.0, in_flight=20, itl_count=int(gaps), itl_sum_seconds=gaps * 2.0)
    assert not any(fit.weight for fit in watched.memory.fits.values())


def test_preempting_replicas_teach_no_capacity() -> None:
    watched = Watched(2)
    for tick in range(60):
        gaps = watched.now * 50
        watched.tick(1.0, in_flight=20, itl_count=int(gaps), itl_sum_seconds=gaps * 0.3, preemptions=tick)
    assert not any(fit.weight for fit in watched.memory.fits.values())


def test_an_idle_replica_does_not_lower_what_is_believed_of_capacity() -> None:
    watched = Watched(2)
    watched.run(1200, 0.01)
    assert watched.said is not None
    assert watched.said.explanation.capacity_per_second == pytest.approx(0.7 * 4.0, rel=0.05)


def test_a_replica_that_is_dead_and_routable_is_neither_idle_nor_capacity_that_is_free() -> None:
    watched = busy()
    before = watched.memory.wanted
    for _ in range(600):
        watched.served(BUSY, in_flight=20)
        said = watched.decide(watched.unread(Reading.EXPIRED, count=1))
        assert said.serving >= (before or 0)


def test_one_silent_replica_of_many_blocks_the_way_down() -> None:
    watched = busy()
    before = watched.memory.wanted
    for _ in range(900):
        watched.served(0.0)
        assert watched.decide(watched.unread(count=1)).serving == before


def test_saturated_replicas_ask_for_one_step_and_no_more_before_it_is_there() -> None:
    watched = busy()
    before = watched.memory.wanted or 0
    first = None
    for _ in range(20):
        watched.now += 2.0
        first = watched.decide(watched.unread(Reading.SATURATED))
    assert first is not None
    assert before <= first.serving <= before + 1
    assert Reason.SATURATED in first.reasons


def test_a_start_that_takes_longer_than_expected_is_waited_for_and_not_ordered_again() -> None:
    watched = Watched(2)
    watched.run(120, 7.0, in_flight=15)
    slow = replica("slow", stage=Stage.LOADING, since_seconds=0.0, reading=Reading.UNKNOWN)
    orders = []
    for _ in range(600):
        watched.served(7.0, in_flight=20)
        orders.append(watched.decide((*watched.seen, slow)).serving)
    assert max(orders) <= 3


def test_capacity_that_nobody_knows_is_steered_by_the_wait_one_step_a_lead_time() -> None:
    watched = Watched(1, prior=Prior())
    orders = [watched.tick(5.0, in_flight=50, waiting=40, queued=40).serving for _ in range(40)]
    assert orders[-1] == 2
    assert watched.said is not None
    assert watched.said.explanation.capacity_per_second is None


@pytest.mark.parametrize("most_at_once", [None, 64])
def test_capacity_that_nobody_knows_is_given_up_one_by_one_while_nobody_waits(most_at_once: int | None) -> None:
    """Twenty run a request each. With nothing told of them one is to spare; of an engine that runs 64, 19 are."""
    watched = Watched(20, prior=Prior(max_concurrency=most_at_once))
    numbers = [watched.tick(2.0, in_flight=int(watched.now) % 4 // 2).serving for _ in range(2400)]
    falls = [before - after for before, after in pairwise(numbers)]
    assert max(falls) == 1
    assert numbers[-1] == (19 if most_at_once is None else 1)


def test_capacity_that_nobody_knows_is_kept_where_requests_wait() -> None:
    watched = Watched(4, prior=Prior(max_concurrency=64))
    watched.run(60, 12.0, in_flight=3)
    numbers = {watched.tick(12.0, in_flight=3, waiting=2).serving for _ in range(900)}
    assert numbers == {4}


def test_a_scale_down_is_never_by_deletion_of_what_serves_all_at_once() -> None:
    watched = Watched(12)
    watched.run(300, 40.0, in_flight=30)
    numbers = [watched.tick(0.5).serving for _ in range(900)]
    falls = [before - after for before, after in pairwise(numbers)]
    assert max(falls) <= max(numbers) / 4
    assert numbers[-1] == 1


def test_a_backlog_stuck_in_one_replica_is_not_taken_for_missing_capacity() -> None:
    watched = Watched(4)
    watched.run(300, 8.0, in_flight=10)
    before = watched.memory.wanted or 0
    for _ in range(30):
        watched.served(8.0, in_flight=10)
        crowded = watched.seen[0]
        assert crowded.load is not None
        skewed = replace(crowded, load=replace(crowded.load, in_flight=2000, queued=1900))
        said = watched.decide((skewed, *watched.seen[1:]))
    assert said.serving <= before + 2
    assert said.explanation.stuck_backlog > 0
    assert (said.explanation.imbalance or 0) > 2


def test_a_warm_replica_is_promoted_for_what_it_can_carry_and_nothing_is_ordered_beyond() -> None:
    numbers = []
    for warm in ((), (replica("w", tier="warm", load=load()),)):
        watched = Watched(2, limits=replace(LIMITS, warm=1))
        watched.run(300, 5.0, in_flight=12)
        for _ in range(60):
            watched.served(8.2, in_flight=25)
            said = watched.decide(watched.seen + warm)
        numbers.append(said.serving)
    assert numbers[1] == 3
    assert numbers[0] > 3


def test_replicas_whose_gpu_is_not_known_yet_change_no_belief_about_capacity() -> None:
    cluster = ToyCluster(seed=2, count=2)
    cluster.run(1800, 9.0)
    before = cluster.tick(9.0).explanation.capacity_per_second
    observed = cluster.observation()
    nodeless = replica("n", product="", stage=Stage.QUEUED, since_seconds=cluster.now, reading=Reading.UNKNOWN)
    said, _ = demand(replace(observed, replicas=(*observed.replicas, nodeless)), cluster.memory)
    assert said.explanation.capacity_per_second == before


def test_the_quota_that_is_used_up_limits_the_number_and_says_so() -> None:
    watched = Watched(2, limits=Limits(floor=1, maximum=3))
    said = watched.run(300, 40.0, in_flight=100)
    assert said.serving == 3
    assert Reason.MAXIMUM in said.reasons
