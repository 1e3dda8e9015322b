"""Who leaves first when there are more replicas than wanted."""

from collections.abc import Iterable

from stoker.core.names import Tier
from stoker.core.pool.seat import Seat


def leaves_first(seat: Seat) -> tuple[bool, bool, bool, int, float, str]:
    """What is not ready goes before what is, what has no node before what has one, what takes no traffic before what
    does, then the one with the least to finish, then the newest."""
    return (
        seat.ready,
        seat.placed,
        seat.tier == Tier.SERVING,
        # Unknown is taken for busy: a guess must not cut anybody.
        seat.in_flight if seat.in_flight is not None else 1_000_000,
        -seat.created_seconds,
        seat.name,
    )


def victim(seats: Iterable[Seat]) -> Seat:
    return min(seats, key=leaves_first)


def why(seat: Seat) -> str:
    """For a person who reads the Event."""
    if not seat.ready:
        return "not ready"
    if seat.tier != Tier.SERVING:
        return f"{seat.tier.value}, no longer needed"
    return "newest" if seat.in_flight is None else f"{seat.in_flight} requests in flight, the least"
