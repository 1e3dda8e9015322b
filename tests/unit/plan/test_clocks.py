"""What other machines' clocks say of moments is believed to within a minute."""

from datetime import timedelta

from stoker.core.plan.departure import departing
from tests.unit.plan.builders import NOW, pod, replica_set, snapshot


def wait_seconds(ahead_seconds: float) -> float:
    """For a pod that leaves since a moment that is yet to come."""
    since = NOW + timedelta(seconds=ahead_seconds)
    return departing(pod("llama-0", replica_set("", 1), draining_since=since), snapshot())[0]


def test_a_drain_that_a_wrong_clock_began_in_an_hour_is_not_waited_for() -> None:
    assert wait_seconds(3600) == 0.0


def test_a_drain_that_began_by_a_clock_that_is_a_second_ahead_is_waited_for() -> None:
    assert 0.0 < wait_seconds(0) < wait_seconds(1) < 60.0
