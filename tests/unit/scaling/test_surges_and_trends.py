"""What stands ready before a load grows, and what is ordered while it does."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.scaling.arrivals import Arrived, History, record
from stoker.core.scaling.demands import Reason
from stoker.core.scaling.observation import Stage
from stoker.core.scaling.surge import Usual, noted, stood
from stoker.core.scaling.trend import forecast
from stoker.core.scaling.tuning import DEFAULT, Tuning
from tests.unit.scaling.builders import PRIOR, Watched

TICK = 2.0
EACH = 2.0
"""Requests per second that a replica carries."""
READY_FOR_FIVE = replace(DEFAULT, headroom=0.2)


def after(seconds: float, per_second: float, usual: Usual | None = None, tuning: Tuning = READY_FOR_FIVE) -> Usual:
    usual = usual or Usual()
    for _ in range(int(seconds / TICK)):
        usual = stood(noted(usual, per_second, EACH, TICK), tuning)
    return usual


def arriving(per_second: list[float]) -> History:
    """One rate for each tick."""
    history = record(History(), 0.0, [])
    for index, rate in enumerate(per_second):
        now = (index + 1) * TICK
        history = record(history, now, [Arrived(now - TICK, now, rate * TICK)])
    return history


def test_a_headroom_of_a_fifth_stands_ready_for_five_times_the_lasting_load() -> None:
    assert after(600, 4.0).standing == pytest.approx(5 * 4.0 / EACH, abs=1)


def test_the_default_keeps_nothing_for_a_load_that_never_came() -> None:
    usual = noted(after(600, 4.0), 4.0, EACH, TICK)
    assert stood(usual, DEFAULT).standing == 0


def test_a_surge_is_not_multiplied_once_more() -> None:
    surge = after(300, 20.0, after(1200, 4.0))
    assert surge.standing <= 16


def test_a_surge_is_no_base_from_which_another_is_expected() -> None:
    before = after(1200, 4.0)
    for height in (3.0, 6.0, 12.0):
        surge = after(600, 4.0 * height, before)
        itself = 4.0 * height / EACH / READY_FOR_FIVE.serving_share
        assert before.standing <= surge.standing <= max(1.3 * before.standing, itself), height


def test_a_peak_that_comes_and_goes_is_no_base_either() -> None:
    usual, twenty_fold = Usual(), replace(DEFAULT, headroom=0.05)
    for _ in range(6):
        usual = after(420, 12.0, after(420, 0.5, usual, twenty_fold), twenty_fold)
    assert 12.0 / EACH <= usual.standing <= 1.6 * 12.0 / EACH


def test_a_load_that_stays_doubled_becomes_the_base() -> None:
    assert after(3 * 3600, 8.0, after(1200, 4.0)).standing == pytest.approx(5 * 8.0 / EACH, rel=0.15)


def test_a_load_that_comes_after_nothing_becomes_the_base() -> None:
    assert after(6 * 3600, 4.0, after(1200, 0.0)).standing >= 0.8 * 5 * 4.0 / EACH


def test_what_stood_for_a_surge_is_given_up_after_it_but_for_a_peak_that_is_common() -> None:
    later = after(1800, 4.0, after(300, 20.0, after(1200, 4.0)))
    assert 10 <= later.standing <= 13
    often = Usual()
    for _ in range(4):
        often = after(400, 0.4, after(400, 20.0, often))
    peak = 20.0 / EACH
    assert peak <= often.standing <= 1.4 * peak


def test_noise_around_a_constant_load_moves_no_standing_replica() -> None:
    usual = after(1200, 4.0)
    standing = usual.standing
    for tick in range(1800):
        each = EACH * (1.1 if tick // 60 % 2 else 0.9)
        usual = stood(noted(usual, 4.0 * (1.03 if tick // 45 % 2 else 0.97), each, TICK), READY_FOR_FIVE)
        assert usual.standing == standing


@settings(max_examples=50)
@given(st.lists(st.floats(0.0, 30.0), min_size=5, max_size=80), st.floats(0.05, 1.2), st.floats(0.05, 1.2))
def test_less_headroom_never_keeps_more(rates: list[float], one: float, other: float) -> None:
    standing = []
    for headroom in sorted((one, other)):
        usual, tuning = Usual(), replace(DEFAULT, headroom=headroom, dead_band_replicas=0.0)
        for rate in rates:
            usual = noted(usual, rate, EACH, TICK)
        standing.append(stood(usual, tuning).standing)
    assert standing[0] >= standing[1]


def test_a_growth_that_lasts_is_drawn_out_to_the_end_of_a_start() -> None:
    ramp = arriving([2.0 + 0.01 * TICK * tick for tick in range(600)])
    assert forecast(ramp, 300.0, 1.0) == pytest.approx(14.0 + 3.0, rel=0.12)


def test_a_step_is_not_drawn_out_into_the_sky() -> None:
    """Beyond the step by what independent arrivals leave open in its last minutes."""
    for seconds in (20, 60, 120, 240, 400):
        step = arriving([4.0] * 450 + [24.0] * (seconds // 2))
        found = forecast(step, 120.0, 1.0)
        assert found is not None
        assert found <= 1.3 * 24.0


def test_a_constant_load_has_no_growth() -> None:
    found = forecast(arriving([5.0] * 600), 300.0, 1.0)
    assert found is not None
    assert found <= 5.0


def test_four_minutes_are_watched_before_a_growth_is_believed() -> None:
    assert forecast(arriving([1.0 + tick for tick in range(100)]), 120.0, 1.0) is None


def test_replicas_of_a_ramp_are_ordered_ahead_of_it() -> None:
    ordered = []
    for trend_leads in (0.0, 1.0):
        prior = replace(PRIOR, lead_seconds={Stage.LOADING: 300.0})
        watched = Watched(4, tuning=replace(DEFAULT, trend_leads=trend_leads), prior=prior)
        for tick in range(400):
            watched.tick(2.0 + 0.01 * TICK * tick, in_flight=10)
        assert watched.said is not None
        ordered.append(watched.said.serving)
    assert ordered[0] < ordered[1] <= ordered[0] + 2


def test_what_stands_ready_is_not_held_longer_as_well() -> None:
    holds = {}
    for headroom in (0.1, 1.0):
        watched = Watched(2, tuning=replace(DEFAULT, headroom=headroom))
        holds[headroom] = watched.run(60, 6.0, in_flight=10).explanation.hold_seconds
    assert holds[0.1] == holds[1.0]


def test_a_model_that_stands_ready_says_so() -> None:
    watched = Watched(2, tuning=READY_FOR_FIVE)
    said = watched.run(600, 6.0, in_flight=10)
    assert Reason.BURSTS in said.reasons
    assert said.serving >= 5 * 6.0 / 4.0
    assert "stand by" in said.explanation.sentence()
