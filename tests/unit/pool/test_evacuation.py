"""Nodes that are about to go: what they hold starts elsewhere first, in whatever order that gets ready."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stoker.core.pool.evacuation import replacements
from stoker.core.pool.seat import Seat
from stoker.core.pool.victims import victim
from tests.unit.pool.test_tiers import seat

LOOKS = 60


def next_look(seats: list[Seat], wanted: int, number: int) -> list[Seat]:
    """As the planner does: growth at once, shrinking by one."""
    goal = wanted + replacements(seats, wanted)
    if len(seats) > goal:
        return [each for each in seats if each != victim(seats, wanted)]
    started = [
        seat(f"new-{number}-{index}", ready=False, created_seconds=float(number)) for index in range(goal - len(seats))
    ]
    return [*seats, *started]


@given(
    stay=st.lists(st.booleans(), max_size=5),
    leave=st.lists(st.booleans(), min_size=1, max_size=5),
    more_wanted=st.integers(-2, 2),
    chance=st.randoms(use_true_random=False),
)
def test_every_order_of_readiness_ends_with_all_elsewhere_and_never_fewer_than_there_were(
    stay: list[bool], leave: list[bool], more_wanted: int, chance: object
) -> None:
    """Each of those that stay and that leave by whether it is ready."""
    seats = [seat(f"stays-{i}", ready=ready) for i, ready in enumerate(stay)]
    seats += [seat(f"leaves-{i}", ready=ready, stays=False) for i, ready in enumerate(leave)]
    wanted = max(1, len(seats) + more_wanted)
    first, most_started = {each.name for each in seats}, wanted
    started: set[str] = set()
    for number in range(LOOKS):
        enough = min(wanted, sum(each.ready for each in seats))
        seats = next_look(seats, wanted, number)
        assert sum(each.ready for each in seats) >= enough
        started |= {each.name for each in seats} - first
        starting = [each for each in seats if not each.ready and each.stays]
        if starting and chance.random() < 0.6:  # type: ignore[attr-defined]
            one = chance.choice(starting)  # type: ignore[attr-defined]
            seats = [replace(each, ready=each.ready or each == one) for each in seats]
    while any(not each.ready for each in seats if each.stays):
        seats = next_look([replace(each, ready=True) for each in seats], wanted, LOOKS)
    for number in range(LOOKS):
        seats = next_look(seats, wanted, LOOKS + number)
    assert len(seats) == wanted
    assert all(each.stays and each.ready for each in seats)
    assert len(started) <= most_started, "one start replaces one"


def test_a_replica_that_is_to_go_leaves_before_what_starts_elsewhere() -> None:
    leaving = [seat("a", stays=False), seat("b", stays=False)]
    elsewhere = [seat("new", created_seconds=9.0), seat("newer", ready=False, created_seconds=9.0)]
    assert victim([*leaving, *elsewhere], 2) in leaving


def test_a_replica_that_is_to_go_stays_while_it_is_needed() -> None:
    leaving, late = seat("a", stays=False), seat("late", ready=False, placed=False)
    assert victim([leaving, seat("b"), late], 2) == late
