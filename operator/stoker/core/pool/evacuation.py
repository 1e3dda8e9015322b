"""Replicas on nodes that are about to go are replaced before they leave.

    kept = min(leaving, max(0, wanted - ready elsewhere))    of those that leave, how many are needed still
    more = kept                                              than wanted, for now

So as many start elsewhere as are not provided there yet, and once they are ready the leaving ones are the surplus.
Where more are leaving than are needed, those go first, and what is missing elsewhere starts then:

    more = kept - max(0, wanted - elsewhere)
"""

from collections.abc import Iterable

from stoker.core.pool.seat import Seat


def replacements(seats: Iterable[Seat], wanted: int) -> int:
    """How many more than wanted there should be for now."""
    seats = tuple(seats)
    elsewhere = [seat for seat in seats if seat.stays]
    leaving = len(seats) - len(elsewhere)
    kept = min(leaving, max(0, wanted - sum(seat.ready for seat in elsewhere)))
    return kept if kept == leaving else kept - max(0, wanted - len(elsewhere))
