"""From the tiers that replicas have to those that they should have.

With S serving and W warm replicas wanted:

1. ready warm replicas are promoted until S ready ones serve: that takes a moment, and a start takes minutes;
2. of those that start, as many are to serve as S still lacks; the others are to be warm, up to W;
3. ready replicas that serve beyond S are demoted, as far as W has room.

A label says what a replica is for, and routing follows readiness as well, so a replica that still starts may carry
either. Nothing here removes a replica: what is in excess of both keeps its tier until it leaves.
"""

from collections.abc import Iterable, Mapping

from stoker.core.names import Tier
from stoker.core.pool.seat import Seat, Want


def changes(seats: Iterable[Seat], want: Want) -> Mapping[str, Tier]:
    """Only those whose tier has to change."""
    seats = tuple(seats)
    serving = sorted(_of(seats, Tier.SERVING, ready=True), key=_stays_longest)
    warm = sorted(_of(seats, Tier.WARM, ready=True), key=_promoted_first)
    missing = max(0, want.serving - len(serving))
    promoted, standing_by = warm[:missing], warm[missing:]
    still_missing = missing - len(promoted)
    room = max(0, want.warm - len(standing_by))

    starting = sorted((seat for seat in seats if not seat.ready), key=_ready_soonest)
    to_serve = starting[:still_missing]
    demoted = serving[want.serving :][:room]
    to_stand_by = starting[still_missing:][: room - len(demoted)]

    wanted = {seat.name: Tier.SERVING for seat in (*promoted, *to_serve)}
    wanted |= {seat.name: Tier.WARM for seat in (*demoted, *to_stand_by)}
    return {seat.name: wanted[seat.name] for seat in seats if wanted.get(seat.name, seat.tier) != seat.tier}


def _of(seats: Iterable[Seat], tier: Tier, *, ready: bool) -> list[Seat]:
    return [seat for seat in seats if seat.tier == tier and seat.ready == ready]


def _stays_longest(seat: Seat) -> tuple[bool, int, float, str]:
    """The spec's revision, then the busiest, then the oldest."""
    return not seat.current, -(seat.in_flight or 0), seat.created_seconds, seat.name


def _promoted_first(seat: Seat) -> tuple[bool, float, str]:
    return not seat.current, seat.created_seconds, seat.name


def _ready_soonest(seat: Seat) -> tuple[bool, bool, float, str]:
    """Never by the tier that it has, or a second look could choose another."""
    return not seat.current, not seat.placed, seat.created_seconds, seat.name
