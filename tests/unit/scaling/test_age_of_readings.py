"""What came since the last reading is unknown, and not none."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stoker.core.scaling.decide import demand
from stoker.core.scaling.memory import Memory
from tests.unit.scaling.builders import Watched, load, observation, replicas

BEFORE, AFTER, STEP_SECONDS = 2.0, 12.0, 300.0


def arrived(until_seconds: float) -> float:
    """Of a load that steps up."""
    return BEFORE * (100.0 + min(until_seconds, STEP_SECONDS)) + AFTER * max(0.0, until_seconds - STEP_SECONDS)


def believed(age_seconds: tuple[float, ...], now_seconds: float) -> float:
    """The rate after looks every two seconds, at replicas whose readings are so old."""
    memory, count, said = Memory.empty(), len(age_seconds), None
    for look in range(int(now_seconds / 2.0) + 1):
        now = now_seconds - 2.0 * (int(now_seconds / 2.0) - look)
        seen = tuple(
            replace(one, load=load(at_seconds=now - age, arrivals=arrived(now - age) / count))
            for one, age in zip(replicas(count, load=load()), age_seconds, strict=True)
        )
        said, memory = demand(observation(now, seen), memory)
    assert said is not None
    assert said.explanation.rate_per_second is not None
    return said.explanation.rate_per_second


@pytest.mark.parametrize("age_seconds", [1.0, 2.5, 7.0])
def test_old_readings_tell_of_a_step_what_they_told_when_they_were_new(age_seconds: float) -> None:
    now = STEP_SECONDS + 20.0
    assert believed((age_seconds,), now + age_seconds) == pytest.approx(believed((0.0,), now), rel=0.05)


@settings(max_examples=20)
@example((3.0,))
@given(st.lists(st.floats(0.0, 8.0), min_size=1, max_size=4).map(tuple))
def test_a_steady_rate_is_what_it_is_however_old_the_readings(age_seconds: tuple[float, ...]) -> None:
    assert believed(age_seconds, STEP_SECONDS) == pytest.approx(BEFORE, rel=0.02)


def test_one_replica_that_does_not_answer_makes_no_other_reading_older() -> None:
    watched = Watched(2)
    watched.run(300.0, rate_per_second=8.0)
    watched.served(8.0)
    said = watched.decide(watched.unread(count=1))
    assert said.explanation.rate_per_second == pytest.approx(8.0, rel=0.02)
