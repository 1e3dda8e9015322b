"""Who leaves first when there are more replicas than wanted."""

from collections.abc import Iterable

from stoker.core.counted import counted
from stoker.core.names import Tier
from stoker.core.pool.seat import Seat

_FROM_THE_COLDEST = (Tier.ASLEEP, Tier.WARM, Tier.DRAINING, Tier.SERVING)


def leaves_first(seat: Seat, *, spare: bool) -> tuple[bool, bool, bool, int, int, float, str]:
    """What its node will not keep goes first, unless it is ready and needed: what starts elsewhere is there to replace
    it. Then what is not ready goes before what is, what has no node before what has one, what takes no traffic before
    what does, then the one with the least to finish, then the newest. `spare` tells that one more is ready than are
    needed."""
    return (
        seat.stays or (seat.ready and not spare),
        seat.ready,
        seat.placed,
        _FROM_THE_COLDEST.index(Tier.SERVING if seat.rests else seat.tier),
        # Unknown is taken for busy: a guess must not cut anybody.
        seat.in_flight if seat.in_flight is not None else 1_000_000,
        -seat.created_seconds,
        seat.name,
    )


def victim(seats: Iterable[Seat], needed: int) -> Seat:
    """`needed` is how many of them have to be ready."""
    seats = tuple(seats)
    spare = sum(seat.ready for seat in seats) > needed
    return min(seats, key=lambda seat: leaves_first(seat, spare=spare))


def why(seat: Seat) -> str:
    """For a person who reads the Event."""
    if not seat.ready:
        return "not ready"
    if not seat.stays:
        return "its node is about to go"
    if seat.tier != Tier.SERVING:
        return f"{seat.tier.value}, no longer needed"
    return "newest" if seat.in_flight is None else f"{counted(seat.in_flight, 'request')} in flight, the least"
