"""The arithmetic below a decision, piece by piece."""

import itertools
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.scaling.arrivals import Arrived, History, arrived_within, rate, record
from stoker.core.scaling.backlog import Flow, backlog, drain_seconds, projected
from stoker.core.scaling.bursts import Bursts, Happened, standing, watched
from stoker.core.scaling.down import most_at_once
from stoker.core.scaling.lead_times import LeadTimes, expected, learned
from stoker.core.scaling.levels import Change, Holding, Levels, Pouring, held, moved, poured, sufficing, touched
from stoker.core.scaling.need import in_flight_mean
from stoker.core.scaling.observation import Prior, Stage
from stoker.core.scaling.tuning import DEFAULT
from tests.unit.scaling.builders import replica


def steady(per_second: float, seconds: float, step: float = 2.0, history: History | None = None) -> History:
    history = history or record(History(), 0.0, [])
    begin = history.times[-1]
    for tick in range(1, int(seconds / step) + 1):
        now = begin + tick * step
        history = record(history, now, [Arrived(now - step, now, per_second * step)])
    return history


def estimated(history: History) -> float:
    found = rate(history, 3.0, 4.0)
    assert found is not None
    return found.per_second


def test_nothing_is_said_of_arrivals_before_ten_seconds_were_watched() -> None:
    assert rate(steady(5.0, 8.0), 3.0, 4.0) is None


def test_a_steady_rate_is_the_mean_of_ten_minutes() -> None:
    found = rate(steady(5.0, 1200.0), 3.0, 4.0)
    assert found is not None
    assert found.per_second == pytest.approx(5.0)
    assert found.window_seconds == 600.0


def test_a_step_up_is_followed_within_half_a_minute() -> None:
    assert estimated(steady(30.0, 30.0, history=steady(5.0, 1200.0))) > 24.0


def test_a_step_down_is_followed_within_two_minutes() -> None:
    assert estimated(steady(5.0, 120.0, history=steady(30.0, 1200.0))) < 8.0


def test_a_late_answer_is_spread_over_the_time_that_it_was_missing_for() -> None:
    silent = steady(0.0, 60.0, history=steady(5.0, 600.0))
    late = record(silent, 662.0, [Arrived(600.0, 662.0, 310.0)])
    assert arrived_within(late, 10.0) == pytest.approx(50.0, rel=0.05)
    assert estimated(late) == pytest.approx(5.0, rel=0.05)


@given(st.floats(0.1, 8.0))
def test_the_length_of_a_tick_changes_no_estimate(step: float) -> None:
    assert estimated(steady(6.0, 900.0, step)) == pytest.approx(6.0, rel=0.02)


def test_the_virtual_queue_of_a_level_that_suffices_drains() -> None:
    owed = poured((), Pouring(10.0, 4.0, 100.0), most=8)
    assert owed == (6.0, 2.0)
    assert sufficing(owed, rate_per_second=2.0, wait_seconds=1.0) == 2
    assert poured(owed, Pouring(0.0, 4.0, 100.0), most=8) == (2.0,)


@given(st.lists(st.floats(0.0, 50.0), max_size=30), st.floats(0.1, 10.0))
def test_a_higher_level_never_owes_more(arrivals: list[float], served: float) -> None:
    owed: tuple[float, ...] = ()
    for count in arrivals:
        owed = poured(owed, Pouring(count, served, 1e9), most=40)
        assert all(low >= high for low, high in itertools.pairwise(owed))


COLD = Holding(whole_seconds=120.0, short_seconds=120.0, warm_ready=0)


def test_a_level_is_held_until_it_was_long_not_needed() -> None:
    levels = touched(Levels(), 3, 0.0)
    assert held(levels, 119.0, COLD, DEFAULT) == 3
    assert held(levels, 120.0, COLD, DEFAULT) == 0


def test_as_many_levels_as_are_warm_are_held_for_the_down_delay_only() -> None:
    levels = touched(Levels(), 3, 0.0)
    for warm_ready, held_at_60 in ((0, 3), (1, 2), (2, 1), (5, 0)):
        holding = Holding(whole_seconds=450.0, short_seconds=60.0, warm_ready=warm_ready)
        assert held(levels, 59.0, holding, DEFAULT) == 3
        assert held(levels, 60.0, holding, DEFAULT) == held_at_60
        assert held(levels, 450.0, holding, DEFAULT) == 0


def test_a_level_that_went_early_does_not_take_the_next_with_it() -> None:
    holding = Holding(whole_seconds=450.0, short_seconds=60.0, warm_ready=1)
    levels = moved(touched(Levels(), 3, 0.0), Change(3, 2, 2), 60.0, DEFAULT)
    assert held(levels, 200.0, holding, DEFAULT) == 2


def test_a_level_that_was_missed_is_held_twice_as_long_and_forgiven_after_quiet_hours() -> None:
    levels = moved(touched(Levels(), 3, 0.0), Change(3, 2, 2), 200.0, DEFAULT)
    levels = moved(levels, Change(2, 3, 3), 300.0, DEFAULT)
    assert held(levels, 300.0 + 239.0, COLD, DEFAULT) == 3
    levels = moved(levels, Change(3, 2, 2), 600.0, DEFAULT)
    levels = moved(levels, Change(2, 3, 3), 9000.0, DEFAULT)
    assert held(levels, 9000.0 + 121.0, COLD, DEFAULT) < 3


def test_each_ordered_replica_counts_once_from_when_it_is_expected() -> None:
    flow = Flow(arrivals_per_second=8.0, rate_per_second=2.0)
    assert projected(0.0, flow, 2, [], 100.0) == 400.0
    assert projected(0.0, flow, 2, [50.0, 50.0], 100.0) == 200.0
    assert projected(0.0, flow, 2, [0.0, 0.0, 500.0], 100.0) == 0.0


def test_a_backlog_that_a_new_replica_could_not_relieve_is_told_apart() -> None:
    found = backlog([500, 10], n_star=20.0, rate_per_second=2.0, longest_drain_seconds=120.0)
    assert (found.movable, found.stuck) == (240.0, 240.0)


def test_a_drain_takes_as_long_as_late_requests_are_worth_the_replicas() -> None:
    assert drain_seconds(50.0, Flow(4.0, 2.0), 400.0, DEFAULT) == pytest.approx(sqrt(50.0 * 400.0 / 8.0))
    assert drain_seconds(1e9, Flow(4.0, 2.0), 400.0, DEFAULT) == 120.0
    assert drain_seconds(0.0, Flow(0.0, 2.0), 400.0, DEFAULT) == 120.0


def bursts(seconds: int, every: int, size: float, count: int) -> Bursts:
    found, owed = Bursts(), ()
    for now in range(0, seconds, 2):
        came = size if now % every == 0 and now < every * count else 0.0
        owed = poured(owed, Pouring(came, 4.0, 1e6), most=20)  # type: ignore[assignment]
        found = watched(found, owed, Happened(float(now), 2.0, came, 0.1, 2.0, 2.0, 60.0), DEFAULT)
    return found


def test_bursts_that_come_again_are_worth_standing_replicas() -> None:
    assert 5 <= standing(bursts(3000, 300, 40.0, 10), DEFAULT) <= 12


def test_one_burst_is_no_habit() -> None:
    assert standing(bursts(3000, 300, 40.0, 1), DEFAULT) == 0


def test_bursts_are_forgotten_over_hours() -> None:
    assert standing(bursts(30_000, 300, 40.0, 3), DEFAULT) == 0


def test_a_rush_that_lasts_longer_than_two_starts_is_none() -> None:
    found, owed = Bursts(), ()
    for now in range(0, 3000, 2):
        came = 40.0 if now % 600 < 300 else 0.0
        owed = poured(owed, Pouring(came, 4.0, 1e6), most=8)  # type: ignore[assignment]
        found = watched(found, owed, Happened(float(now), 2.0, came, 0.1, 2.0, 2.0, 60.0), DEFAULT)
    assert standing(found, DEFAULT) == 0


def test_lead_times_are_learned_per_stage_and_a_guess_before() -> None:
    prior = Prior(lead_seconds={Stage.LOADING: 60.0})
    times = LeadTimes({})
    assert expected(times, prior).lead_seconds == 60.0
    for seconds in (20.0, 22.0, 24.0):
        times = learned(times, Stage.LOADING, seconds)
    assert expected(times, prior).lead_seconds == 22.0


def test_a_start_that_is_late_is_expected_later_and_later() -> None:
    known = expected(LeadTimes({}), Prior(lead_seconds={Stage.LOADING: 60.0}))
    loading = replica(stage=Stage.LOADING, since_seconds=0.0)
    assert known.left_seconds(loading, 20.0) == 40.0
    assert known.left_seconds(loading, 100.0) == 50.0
    assert known.left_seconds(replica(), 100.0) == 0.0


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), 1e9])
def test_a_duration_that_cannot_be_is_not_learned(seconds: float) -> None:
    assert learned(LeadTimes({}), Stage.LOADING, seconds) == LeadTimes({})


def test_a_moment_of_many_requests_in_flight_is_forgotten_and_a_minute_is_not() -> None:
    mean, peak = 20.0, 60
    assert in_flight_mean(None, 20, 0.0) == 20
    assert in_flight_mean(mean, peak, 2.0) < 24.0
    for _ in range(30):
        mean = in_flight_mean(mean, peak, 2.0)
    assert mean > 57.0


def test_the_mean_in_flight_does_not_hang_on_the_length_of_a_tick() -> None:
    once = in_flight_mean(10.0, 30, 8.0)
    often = 10.0
    for _ in range(8):
        often = in_flight_mean(often, 30, 1.0)
    assert often == pytest.approx(once)


@pytest.mark.parametrize(("before", "warm_ready", "most"), [(2, 0, 1), (8, 0, 2), (8, 1, 2), (8, 3, 4), (3, 1, 2)])
def test_a_step_down_is_a_quarter_or_one_and_one_more_for_each_that_is_warm(
    before: int, warm_ready: int, most: int
) -> None:
    every = DEFAULT.down_every_seconds
    assert most_at_once(before, warm_ready, None, DEFAULT) == most
    assert most_at_once(before, warm_ready, every, DEFAULT) == most
    assert most_at_once(before, warm_ready, every - 1.0, DEFAULT) == 0
