"""From the tiers that replicas have to those that they should have.

With S serving, W warm and A sleeping replicas wanted:

0. ready replicas that rest are labelled warm, as far as `aside` allows;
1. ready warm replicas are promoted until S ready ones serve: that takes a moment;
2. sleepers are woken for what S still lacks: that takes seconds, and a start takes minutes;
3. of those that start, as many are to serve as S still lacks; the others are to be warm, up to W, and then to sleep;
4. ready replicas that serve beyond S are demoted, as far as W has room;
5. what W still lacks is woken, and what is loaded beyond S and W goes to sleep, as far as A has room.

A label says what a replica is for, and routing follows readiness as well, so a replica that still starts may carry
either of the first two. Nothing here removes a replica: what is in excess of all keeps its tier until it leaves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stoker.core.names import Tier
from stoker.core.pool.aside import aside
from stoker.core.pool.seat import Seat, Want

_LOADED = (Tier.SERVING, Tier.WARM)


@dataclass(frozen=True, slots=True)
class _Ready:
    """Those that could be used at once, or are asleep, each in the order in which they are used."""

    serving: list[Seat]
    warm: list[Seat]
    asleep: list[Seat]


def changes(seats: Iterable[Seat], want: Want) -> Mapping[str, Tier]:
    """Only those whose tier has to change."""
    everyone = tuple(seats)
    loaded = [seat for seat in everyone if seat.ready and seat.tier in _LOADED]
    resting = sorted((seat for seat in loaded if seat.rests), key=_stays_longest)
    count, want = aside(len(resting), len(loaded) - len(resting), want)
    off_traffic = resting[:count]
    seats = tuple(seat for seat in everyone if seat not in off_traffic)
    ready = _Ready(
        sorted(_of(seats, Tier.SERVING), key=_stays_longest),
        sorted(_of(seats, Tier.WARM), key=_used_first),
        sorted((seat for seat in seats if seat.tier is Tier.ASLEEP), key=_used_first),
    )
    starting = sorted((seat for seat in seats if not seat.ready and seat.tier is not Tier.ASLEEP), key=_ready_soonest)
    missing = max(0, want.serving - len(ready.serving))
    promoted, standing_by = ready.warm[:missing], ready.warm[missing:]
    # One that nobody can reach is in the way of nothing.
    missing -= sum(seat.reachable for seat in promoted)
    woken, sleepers = _woken(ready.asleep, missing)
    missing -= len(woken)
    to_serve, starting = starting[:missing], starting[missing:]

    room = max(0, want.warm - len(standing_by))
    demoted = ready.serving[want.serving :][:room]
    to_stand_by = starting[: room - len(demoted)]
    refilled, sleepers = _woken(sleepers[::-1], min(room - len(demoted), len(sleepers) - want.asleep))
    wanted = {seat.name: Tier.SERVING for seat in (*promoted, *woken, *to_serve)}
    wanted |= {seat.name: Tier.WARM for seat in (*demoted, *to_stand_by, *refilled, *off_traffic)}
    surplus = (*standing_by[max(0, want.warm) :], *ready.serving[want.serving :][room:])
    beds = max(0, want.asleep - len(sleepers))
    wanted |= {seat.name: Tier.ASLEEP for seat in [seat for seat in surplus if seat.sleeps][:beds]}
    return {seat.name: wanted[seat.name] for seat in everyone if wanted.get(seat.name, seat.tier) != seat.tier}


def _woken(asleep: list[Seat], count: int) -> tuple[list[Seat], list[Seat]]:
    return asleep[: max(0, count)], asleep[max(0, count) :]


def _of(seats: Iterable[Seat], tier: Tier) -> list[Seat]:
    return [seat for seat in seats if seat.tier is tier and seat.ready]


def _stays_longest(seat: Seat) -> tuple[bool, bool, int, float, str]:
    """The spec's revision, then what its node keeps, then the busiest, then the oldest."""
    return not seat.current, not seat.stays, -(seat.in_flight or 0), seat.created_seconds, seat.name


def _used_first(seat: Seat) -> tuple[bool, bool, bool, bool, float, str]:
    return not seat.ready, not seat.reachable, not seat.current, not seat.stays, seat.created_seconds, seat.name


def _ready_soonest(seat: Seat) -> tuple[bool, bool, float, str]:
    """Never by the tier that it has, or a second look could choose another."""
    return not seat.current, not seat.placed, seat.created_seconds, seat.name
