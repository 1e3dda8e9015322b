"""Loads out of figures that know no arrivals."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.scaling.observation import Load
from stoker.signals.account import Account, Figures
from stoker.signals.unreadable import UnreadableError


def engine(running: int = 0, queued: int = 0, first_tokens: int | None = None, output: int | None = None) -> Figures:
    return Figures(running=running, queued=queued, ttft_count=first_tokens, output_tokens=output)


def loads(looks: Sequence[Figures]) -> list[Load]:
    account = Account("start")
    return [account.load(figures, float(index)) for index, figures in enumerate(looks)]


def test_requests_in_flight_are_those_that_run_and_those_that_wait() -> None:
    (load,) = loads([engine(running=4, queued=3)])
    assert (load.in_flight, load.waiting, load.running, load.queued) == (7, 3, 4, 3)


@pytest.mark.parametrize(
    "figures", [Figures(), Figures(running=3), Figures(queued=3), Figures(in_flight=3), Figures(waiting=1)]
)
def test_a_load_of_which_half_is_not_said_is_none(figures: Figures) -> None:
    with pytest.raises(UnreadableError, match="does not say how many requests are"):
        Account("start").load(figures, 0.0)


def test_what_came_before_the_first_look_is_not_counted() -> None:
    (load,) = loads([engine(running=8, queued=2, first_tokens=100_000)])
    assert (load.arrivals, load.finished) == (0, 0)


def test_first_tokens_and_the_queue_tell_of_arrivals() -> None:
    _, load = loads([engine(running=2, queued=0, first_tokens=10), engine(running=5, queued=4, first_tokens=20)])
    assert load.arrivals == 14


def test_without_first_tokens_only_the_rise_of_requests_tells_of_arrivals() -> None:
    found = loads([engine(running=2), engine(running=5), engine(running=1), engine(running=2)])
    assert [load.arrivals for load in found] == [0, 3, 3, 4]


def test_a_request_that_leaves_the_queue_takes_no_arrival_back() -> None:
    found = loads(
        [engine(queued=0, first_tokens=10), engine(queued=5, first_tokens=10), engine(running=5, first_tokens=10)]
    )
    assert [load.arrivals for load in found] == [0, 5, 5]


def test_an_engine_that_started_anew_has_another_boot_and_all_of_it_counts() -> None:
    before, after = loads([engine(first_tokens=500, output=9000), engine(running=3, first_tokens=2, output=10)])
    assert before.boot != after.boot
    assert after.arrivals == 2


def test_a_start_that_only_the_tokens_tell_of_is_noticed() -> None:
    before, after = loads([engine(running=3, output=9000), engine(running=3, output=10)])
    assert before.boot != after.boot


def test_a_counter_that_is_missing_once_is_no_new_start() -> None:
    found = loads([engine(first_tokens=10), engine(), engine(first_tokens=12)])
    assert {load.boot for load in found} == {"start-0"}
    assert [load.ttft_count for load in found] == [10, 10, 12]


def test_arrivals_that_are_counted_are_taken_as_they_are() -> None:
    looks = [
        Figures(in_flight=3, waiting=1, arrivals=100, finished=97),
        Figures(in_flight=3, waiting=1, arrivals=150, finished=147),
    ]
    load = loads(looks)[1]
    assert (load.arrivals, load.finished) == (50, 50)


def test_another_start_of_the_operator_is_another_boot() -> None:
    assert Account("a").load(engine(), 0.0).boot != Account("b").load(engine(), 0.0).boot


STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.booleans()), min_size=2, max_size=30
)


@given(STEPS, st.booleans())
def test_arrivals_are_never_too_many_and_never_fall(
    steps: list[tuple[int, int, int, bool]], says_first_tokens: bool
) -> None:
    """Any course of arriving, starting and ending, looked at after any of its steps."""
    queued = running = first_tokens = arrived = 0
    account, seen = Account("start"), []
    for arriving, starting, ending, is_looked_at in steps:
        arrived, queued = arrived + arriving, queued + arriving
        started = min(starting, queued)
        queued, running, first_tokens = queued - started, running + started, first_tokens + started
        running -= min(ending, running)
        if is_looked_at:
            load = account.load(engine(running, queued, first_tokens if says_first_tokens else None), 0.0)
            seen.append((arrived, load))
    for (_, before), (true_count, load) in itertools.pairwise(seen):
        assert before.arrivals <= load.arrivals <= true_count - seen[0][0]
        assert before.finished <= load.finished <= load.arrivals + seen[0][1].in_flight
        assert load.boot == "start-0"
