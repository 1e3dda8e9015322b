"""Replicas on nodes that are about to go are replaced before they leave.

    more = min(leaving, max(0, wanted - ready elsewhere))

So as many start elsewhere as are not provided there yet, and once they are ready the leaving ones are the surplus.
"""

from collections.abc import Iterable

from stoker.core.pool.seat import Seat


def replacements(seats: Iterable[Seat], wanted: int) -> int:
    """How many more than wanted there should be for now."""
    seats = tuple(seats)
    leaving = sum(not seat.stays for seat in seats)
    ready_elsewhere = sum(seat.ready and seat.stays for seat in seats)
    return min(leaving, max(0, wanted - ready_elsewhere))
