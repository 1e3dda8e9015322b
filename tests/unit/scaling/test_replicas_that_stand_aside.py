"""A replica whose queue is longer than others can help with takes no traffic until it is worked off."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.scaling.capacity import Capacity
from stoker.core.scaling.observation import Limits, Prior, Reading, Replica, Rolling, Stage
from stoker.core.scaling.rest import resting
from tests.unit.scaling.builders import LIMITS, Watched, load, replica

CAPACITY = Capacity(n_star=8.0, rate_per_second=3.0, likely_per_second=3.0, confidence=1.0)


def one(uid: str, in_flight: int, **fields: object) -> Replica:
    return replica(uid, load=load(in_flight=in_flight), **fields)


def aside(replicas: list[Replica], *before: str, rate: float = 6.0) -> tuple[str, ...]:
    return resting(replicas, before, CAPACITY, rate, 4.0)


def test_one_that_owes_minutes_stands_aside_once_the_others_carry_what_comes() -> None:
    assert aside([one("old", 300), one("b", 3), one("c", 4)]) == ("old",)


def test_it_goes_on_serving_while_the_others_could_not_carry_what_comes() -> None:
    assert aside([one("old", 300), one("b", 3)], rate=6.0) == ()


def test_the_only_replica_never_stands_aside() -> None:
    assert aside([one("old", 300)], rate=0.1) == ()


def test_all_of_them_flooded_go_on_serving() -> None:
    assert aside([one("a", 300), one("b", 200)], rate=0.1) == ()


def test_a_queue_that_is_gone_in_time_is_none() -> None:
    assert aside([one("a", 8 + 11), one("b", 3), one("c", 4)]) == ()


def test_it_comes_back_when_it_can_begin_a_request_at_once() -> None:
    old = one("old", 9, tier="warm")
    others = [one("b", 3), one("c", 4)]
    assert aside([old, *others], "old") == ("old",)
    assert aside([replace(old, load=load(in_flight=8)), *others], "old") == ()


def test_one_that_stands_aside_stays_there_though_more_comes_than_the_others_carry() -> None:
    assert aside([one("old", 100, tier="warm"), one("b", 9), one("c", 9)], "old", rate=50.0) == ("old",)


def test_a_warm_replica_that_finishes_what_it_had_is_no_part_of_this() -> None:
    assert aside([one("warm", 300, tier="warm"), one("b", 3), one("c", 3)]) == ()


def test_a_look_that_fails_changes_nothing() -> None:
    old = replica("old", tier="warm", reading=Reading.UNKNOWN)
    assert aside([old, one("b", 3), one("c", 4)], "old") == ("old",)
    assert aside([old, one("b", 3), one("c", 4)]) == ()


def test_one_that_begins_anew_or_drains_stands_aside_no_more() -> None:
    others = [one("b", 3), one("c", 4)]
    assert aside([one("old", 300, stage=Stage.LOADING), *others], "old") == ()
    assert aside([one("old", 300, tier="draining"), *others], "old") == ()


def test_as_many_stand_aside_as_leave_the_others_no_more_than_they_carry() -> None:
    replicas = [one("a", 90), one("b", 80), one("c", 3), one("d", 4)]
    assert aside(replicas, rate=8.0) == ("a",)
    assert aside(replicas, rate=6.0) == ("a", "b")


def test_no_replica_is_given_up_while_one_stands_aside_and_the_others_are_needed() -> None:
    watched = Watched(3, prior=Prior(8.0, 3.0, 8))
    watched.run(240.0, rate_per_second=3.0, in_flight=4)
    flooded, *others = watched.seen
    assert flooded.load
    watched.seen = (replace(flooded, load=replace(flooded.load, in_flight=300)), *others)
    assert watched.decide().resting == (flooded.uid,)
    before = watched.memory.wanted
    for _ in range(90):
        watched.seen = (replace(watched.seen[0], tier="warm"), *watched.served(3.0, in_flight=4)[1:])
        said = watched.decide()
        assert said.resting == (flooded.uid,)
        assert said.serving == before
    assert "Aside" in said.reasons
    assert "1 takes no traffic" in said.explanation.sentence()


@pytest.mark.parametrize(
    "limits",
    [replace(LIMITS, frozen=True), replace(LIMITS, rolling=Rolling.BESIDE), replace(LIMITS, rolling=Rolling.INSTEAD)],
)
def test_nobody_stands_aside_in_a_freeze_or_a_rollout(limits: Limits) -> None:
    watched = Watched(3, prior=Prior(8.0, 3.0, 8))
    watched.run(240.0, rate_per_second=3.0, in_flight=4)
    flooded, *others = watched.seen
    assert flooded.load
    watched.seen = (replace(flooded, load=replace(flooded.load, in_flight=300)), *others)
    watched.fields["limits"] = limits
    assert watched.decide().resting == ()


@given(st.lists(st.integers(0, 400), max_size=6), st.floats(0.0, 30.0), st.sets(st.integers(0, 5)))
def test_one_that_is_known_always_goes_on_serving_and_order_says_nothing(
    counts: list[int], rate: float, before: set[int]
) -> None:
    replicas = [one(f"r{index}", count) for index, count in enumerate(counts)]
    earlier = [f"r{index}" for index in before]
    found = aside(replicas, *earlier, rate=rate)
    assert found == aside(replicas[::-1], *earlier, rate=rate)
    begun = set(found) - set(earlier)
    assert not begun or len(found) < len(replicas)
