"""Who serves, who stands by, and who leaves first."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stoker.core.names import Tier
from stoker.core.pool.aside import aside
from stoker.core.pool.seat import Seat, Want
from stoker.core.pool.tiers import changes
from stoker.core.pool.victims import victim, why

SERVING, WARM = Tier.SERVING, Tier.WARM


def seat(name: str, tier: Tier = SERVING, *, ready: bool = True, **changes_: object) -> Seat:
    return replace(Seat(name, tier, ready, current=True, placed=True, created_seconds=0.0), **changes_)  # type: ignore[arg-type]


def after(seats: Iterable[Seat], want: Want) -> list[Seat]:
    seats = list(seats)
    moved = changes(seats, want)
    return [replace(each, tier=moved.get(each.name, each.tier)) for each in seats]


def ready(seats: Iterable[Seat], tier: Tier) -> int:
    return sum(each.ready and each.tier == tier for each in seats)


seats_of_a_model = st.lists(
    st.builds(
        Seat,
        name=st.uuids().map(str),
        tier=st.sampled_from([SERVING, WARM]),
        ready=st.booleans(),
        current=st.booleans(),
        placed=st.booleans(),
        created_seconds=st.floats(0, 1e6),
        in_flight=st.none() | st.integers(0, 50),
    ).map(lambda each: replace(each, placed=each.placed or each.ready)),
    max_size=8,
    unique_by=lambda each: each.name,
)
wants = st.builds(Want, serving=st.integers(0, 6), warm=st.integers(0, 4))


def test_a_warm_replica_is_promoted_where_one_is_missing() -> None:
    assert changes([seat("a"), seat("b", WARM)], Want(2)) == {"b": SERVING}


def test_a_replica_that_starts_stands_by_once_a_warm_one_took_its_place() -> None:
    moved = changes([seat("a"), seat("new", ready=False), seat("b", WARM)], Want(2, 1))
    assert moved == {"b": SERVING, "new": WARM}


def test_a_replica_that_no_longer_has_to_serve_becomes_warm_where_one_is_wanted() -> None:
    assert changes([seat("old"), seat("new", created_seconds=9.0)], Want(1, 1)) == {"new": WARM}


def test_the_one_with_the_most_requests_goes_on_serving() -> None:
    busy, idle = seat("busy", created_seconds=9.0, in_flight=7), seat("idle", in_flight=0)
    assert changes([busy, idle], Want(1, 1)) == {"idle": WARM}


def test_one_that_rests_stands_by_and_no_start_takes_its_place() -> None:
    seats = [seat("flooded", in_flight=90, rests=True), seat("b"), seat("new", WARM, ready=False)]
    assert changes(seats, Want(2, 1)) == {"flooded": WARM}


def test_one_that_rests_trades_places_with_a_warm_one() -> None:
    want = Want(2, 1)
    moved = after([seat("flooded", in_flight=90, rests=True), seat("b"), seat("spare", WARM)], want)
    assert [each.name for each in moved if each.tier is SERVING] == ["b", "spare"]
    assert changes(moved, want) == {}
    assert changes([replace(each, rests=False) for each in moved], want) == {}


def test_one_that_has_rested_serves_again() -> None:
    assert changes([seat("flooded", WARM), seat("b")], Want(2)) == {"flooded": SERVING}


def test_the_last_one_that_serves_never_rests() -> None:
    assert changes([seat("flooded", rests=True)], Want(1)) == {}
    both = [seat("a", in_flight=9, rests=True), seat("b", in_flight=5, rests=True)]
    assert len(changes(both, Want(2))) == 1


def test_one_that_rests_leaves_after_those_with_less_to_finish() -> None:
    flooded, other = seat("flooded", WARM, in_flight=90, rests=True), seat("other", in_flight=3)
    assert victim([flooded, other], 1) == other


def test_nothing_is_moved_for_a_replica_that_is_to_leave() -> None:
    assert changes([seat("a"), seat("b")], Want(1)) == {}


def test_the_spec_s_revision_is_promoted_first() -> None:
    moved = changes([seat("old", WARM, current=False), seat("new", WARM, created_seconds=9.0)], Want(1, 1))
    assert moved == {"new": SERVING}


@given(st.integers(0, 5), st.integers(0, 5), wants)
def test_who_stands_aside_is_one_of_those_wanted_and_leaves_somebody_in_traffic(
    resting: int, others: int, want: Want
) -> None:
    count, left = aside(resting, others, want)
    assert 0 <= count <= resting
    assert count + left.replicas == want.replicas
    assert left.serving >= min(1, want.serving)


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(0, 6), wants)
def test_who_stands_aside_stays_there_at_the_next_look(rests: list[bool], warm: int, want: Want) -> None:
    seats = [seat(f"s{i}", WARM if i < warm else SERVING, in_flight=i, rests=one) for i, one in enumerate(rests)]
    moved = after(seats, want)
    assert changes(moved, want) == {}


@given(seats_of_a_model, wants)
def test_as_many_ready_ones_serve_as_there_can_be(seats: list[Seat], want: Want) -> None:
    moved = after(seats, want)
    all_ready = sum(each.ready for each in seats)
    assert ready(moved, SERVING) >= min(want.serving, all_ready)


@given(seats_of_a_model, wants)
def test_no_replica_that_serves_is_taken_off_traffic_while_it_is_needed(seats: list[Seat], want: Want) -> None:
    served = ready(seats, SERVING)
    assert ready(after(seats, want), SERVING) >= min(served, want.serving)


@given(seats_of_a_model, wants)
def test_a_second_look_moves_nothing(seats: list[Seat], want: Want) -> None:
    assert changes(after(seats, want), want) == {}


@given(seats_of_a_model, wants, st.randoms())
def test_the_order_of_the_replicas_does_not_matter(seats: list[Seat], want: Want, chance: object) -> None:
    shuffled = list(seats)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert changes(seats, want) == changes(shuffled, want)


@given(seats_of_a_model.filter(bool))
def test_what_serves_nobody_leaves_before_what_serves(seats: list[Seat]) -> None:
    chosen = victim(seats, 1)
    if chosen.ready and chosen.tier == SERVING:
        assert all(each.ready and each.tier == SERVING for each in seats)


def test_among_those_that_serve_the_least_busy_leaves_and_an_unknown_one_last() -> None:
    seats = [seat("a", in_flight=3), seat("b", in_flight=1), seat("c", in_flight=None)]
    assert victim(seats, 2) == seats[1]
    assert victim([seats[0], seats[2]], 1) == seats[0]
    assert why(seats[1]) == "1 request in flight, the least"
