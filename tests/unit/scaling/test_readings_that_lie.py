"""Readings that lie: clocks, counters, numbers that are none, replicas listed twice."""

from dataclasses import replace

import pytest

from stoker.core.scaling.demands import Reason
from stoker.core.scaling.memory import Memory
from tests.unit.scaling.builders import Watched, load

BUSY = 12.0


def busy() -> Watched:
    watched = Watched(4)
    watched.run(600, BUSY, in_flight=20)
    return watched


def test_a_clock_that_is_ahead_brings_no_arrivals_from_the_future() -> None:
    watched = Watched(2)
    watched.run(60, 4.0, in_flight=10)
    watched.served(4.0, in_flight=10)
    ahead = tuple(
        replace(one, load=replace(one.load, at_seconds=watched.now + 3600.0)) if one.load else one
        for one in watched.seen
    )
    said = watched.decide(ahead)
    assert said.explanation.rate_per_second == pytest.approx(4.0, rel=0.1)
    assert watched.run(60, 4.0, in_flight=10).explanation.rate_per_second == pytest.approx(4.0, rel=0.1)


def test_a_clock_that_goes_back_stands_still() -> None:
    watched = busy()
    before = watched.memory.wanted
    watched.now -= 500.0
    assert watched.decide().serving == before
    assert watched.memory.at_seconds == 600.0


@pytest.mark.parametrize("boot", ["b", "another"])
def test_a_counter_that_starts_again_brings_no_negative_arrivals(boot: str) -> None:
    watched = Watched(2)
    watched.run(120, 4.0, in_flight=10)
    again = load(at_seconds=watched.now, boot=boot, in_flight=10)
    watched.seen = tuple(replace(one, load=again) for one in watched.seen)
    said = watched.run(30, 4.0, in_flight=10)
    assert said.explanation.rate_per_second == pytest.approx(4.0, rel=0.1)


FIELDS = ("in_flight", "arrivals", "finished", "itl_sum_seconds")
BROKEN = [(field, value) for field in FIELDS for value in (float("nan"), float("inf"), -1.0)]


@pytest.mark.parametrize(("field", "value"), [*BROKEN, ("at_seconds", float("nan")), ("at_seconds", float("inf"))])
def test_what_is_no_number_is_not_known(field: str, value: float) -> None:
    watched = busy()
    before = watched.memory.wanted
    watched.now += 2.0
    broken = tuple(replace(one, load=load(**{"at_seconds": watched.now, field: value})) for one in watched.seen)
    said = watched.decide(broken)
    assert said.serving == before
    assert Reason.BLIND in said.reasons
    assert Memory.from_json(watched.memory.to_json()) == watched.memory


def test_a_kv_share_that_is_no_number_asks_for_nothing() -> None:
    watched = Watched(2)
    watched.run(60, 2.0, in_flight=5, kv_share=float("nan"))
    assert watched.said is not None
    assert watched.said.explanation.by_cache == 0


def test_a_uid_that_is_listed_twice_counts_once() -> None:
    watched, doubled = busy(), busy()
    watched.served(BUSY, in_flight=20)
    doubled.served(BUSY, in_flight=20)
    once, twice = watched.decide(), doubled.decide(doubled.seen + doubled.seen)
    assert once == twice
    assert watched.memory == doubled.memory


def test_an_old_reading_of_an_earlier_boot_that_comes_late_is_no_burst() -> None:
    watched = Watched(2)
    watched.run(120, 4.0, in_flight=10)
    old = tuple(
        replace(one, load=load(at_seconds=watched.now - 60.0, boot="earlier", arrivals=1_000_000))
        for one in watched.seen
    )
    watched.now += 2.0
    said = watched.decide(old)
    assert (said.explanation.rate_per_second or 0.0) < 5.0


def test_a_new_boot_that_shows_a_long_past_is_no_burst() -> None:
    watched = Watched(2)
    watched.run(120, 4.0, in_flight=10)
    total = watched.memory.history.totals[-1]
    watched.now += 2.0
    again = load(at_seconds=watched.now, boot="later", in_flight=10, arrivals=1_000_000, finished=999_990)
    watched.decide(tuple(replace(one, load=again) for one in watched.seen))
    assert watched.memory.history.totals[-1] == total + 20.0


def test_the_same_reading_again_brings_nothing() -> None:
    watched = Watched(2)
    watched.run(120, 4.0, in_flight=10)
    total = watched.memory.history.totals[-1]
    for _ in range(5):
        watched.now += 2.0
        watched.decide()
    assert watched.memory.history.totals[-1] == total
