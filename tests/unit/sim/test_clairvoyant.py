"""The bound of one who knows the arrivals."""

import pytest

from stoker.sim.policies.clairvoyant import Clairvoyant, needs, reactive_ceiling, spans_by_level
from tests.unit.sim.fleets import trace
from tests.unit.sim.views import load, view

BURST = trace(*(100 + index * 0.1 for index in range(400)), duration_seconds=300.0)  # 10 a second for 40 s


def test_need_is_the_arrivals_of_the_window_over_what_a_replica_serves() -> None:
    found = needs(BURST, 10.0, 4.0)
    assert found[0] == 0
    assert found[60] == 3  # at 121 s: 100 arrivals in 10 s, 40 of them for each


def test_short_gaps_are_kept_and_long_ones_given_up() -> None:
    assert spans_by_level([1, 0, 0, 1], 5.0) == [[(0.0, 8.0)]]
    assert spans_by_level([1, 0, 0, 1], 3.0) == [[(0.0, 2.0), (6.0, 8.0)]]
    assert spans_by_level([2, 1], 3.0) == [[(0.0, 4.0)], [(0.0, 2.0)]]


def test_it_orders_a_start_ahead() -> None:
    plan = Clairvoyant(BURST, rate_per_second=4.0, lead_seconds=60.0, utilization=1.0, window=10.0)
    at = {now: plan.decide(view(now, load())).serving for now in (20, 50, 120, 200)}
    assert at == {20: 1, 50: 3, 120: 3, 200: 1}


def test_the_ceiling_of_one_who_only_reacts_is_what_comes_while_a_start_lasts() -> None:
    # Three levels are needed anew for 40 s and more, 60 s before they could be there: all is late.
    assert reactive_ceiling(BURST, 4.0, 60.0) == 0.0
    # 12 s of the 40 s: 3·4·12 of 400.
    assert reactive_ceiling(BURST, 4.0, 12.0) == pytest.approx(1 - 3 * 4 * 12 / 400)
