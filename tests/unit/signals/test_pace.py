"""When a replica is asked next."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.signals.polling.awake_clock import AwakeClock
from stoker.signals.polling.pace import Pace, Went, next_interval, next_time, share_of

PACE = Pace()
SHARES = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize("went", [Went.BUSY, Went.LATE])
def test_who_is_busy_or_late_is_asked_often(went: Went) -> None:
    assert next_interval(10.0, went, PACE) == PACE.busy_seconds


def test_who_is_idle_is_asked_ever_less_often_down_to_a_bound() -> None:
    intervals = [PACE.busy_seconds]
    while len(intervals) < 7:
        intervals.append(next_interval(intervals[-1], Went.IDLE, PACE))
    assert intervals == [2.0, 3.0, 4.5, 6.75, 10.0, 10.0, 10.0]


def test_who_fails_is_asked_half_as_often_each_time() -> None:
    assert [next_interval(seconds, Went.FAILED, PACE) for seconds in (2.0, 4.0, 8.0, 10.0)] == [4.0, 8.0, 10.0, 10.0]


@given(st.floats(0, 1e6), st.floats(0.5, 60), SHARES)
def test_the_next_time_is_later_and_at_most_an_interval_away(now: float, interval: float, share: float) -> None:
    assert now < next_time(now, interval, share) <= now + 2 * interval


@given(st.floats(0, 1e4), SHARES)
def test_a_replica_keeps_its_own_points_of_time(now: float, share: float) -> None:
    first = next_time(now, 2.0, share)
    assert next_time(first + 0.01, 2.0, share) == pytest.approx(first + 2.0)


def test_a_fleet_that_was_found_at_once_is_spread_over_the_interval() -> None:
    times = sorted(next_time(100.0, 2.0, share_of(f"uid-{index}")) for index in range(1000))
    assert max(after - before for before, after in itertools.pairwise(times)) < 0.05
    assert times[-1] - times[0] > 1.9


def test_time_that_this_process_missed_does_not_count() -> None:
    clock = AwakeClock(0.0, most_step_seconds=0.2)
    assert clock.step(0.1) == pytest.approx(0.1)
    assert clock.at(3.1) == pytest.approx(0.3)
    assert clock.step(3.1) == pytest.approx(0.3)
    assert clock.step(3.2) == pytest.approx(0.4)
