"""Every order of events from a beginning, each state once; and from each of them the way to a settled world."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stoker.core.names import Tier
from tests.unit.pool.model.operator import acts, crashes, looks, unanswered
from tests.unit.pool.model.replicas import arrives, goes_wrong, happens, require_traffic_is_served
from tests.unit.pool.model.world import BrokenPromiseError, World


@dataclass(frozen=True, slots=True)
class Explored:
    states: int
    moves: int


def explored(beginning: World, most_states: int) -> Explored:
    """Raises BrokenPromiseError with the way there, and RuntimeError where it is too large to be tried out wholly."""
    came_from: dict[World, World | None] = {beginning: None}
    ahead, moves = [beginning], 0
    settling: set[World] = set()
    while ahead:
        world = ahead.pop()
        try:
            _require_that_it_settles(world, settling)
            following = list(_next(world))
            moves += len(following)
            for after in following:
                if after not in came_from:
                    came_from[after] = world
                    require_traffic_is_served(after)
                    ahead.append(after)
        except BrokenPromiseError as broken:
            raise BrokenPromiseError(f"{broken}\n{_way(world, came_from)}") from broken
        if len(came_from) > most_states:
            raise RuntimeError(f"more than {most_states} states")
    return Explored(len(came_from), moves)


def _next(world: World) -> Iterator[World]:
    if world.plan:
        yield acts(world)
        yield from unanswered(world)
    elif not world.looked:
        yield looks(world)
    if world.faults.crashes:
        yield crashes(world)
    if len(world.wants) > 1:
        yield _wanted_otherwise(world)
    for pod in world.pods:
        yield from happens(world, pod)
        yield from arrives(world, pod)
        yield from goes_wrong(world, pod)


def _wanted_otherwise(world: World) -> World:
    return replace(world, wants=world.wants[1:], looked=False)


def _require_that_it_settles(world: World, settling: set[World]) -> None:
    """When nothing goes wrong any more and everybody gets a turn, what is wanted comes about."""
    way = []
    while world not in settling:
        way.append(world)
        settling.add(world)
        after = _expected(world)
        if after is None:
            _require_what_is_wanted(world)
            return
        if len(way) > 500:
            raise BrokenPromiseError("It does not settle.")
        world = after


def _expected(world: World) -> World | None:
    if world.plan:
        return acts(world)
    for pod in world.pods:
        for after in happens(world, pod):
            return after
    if len(world.wants) > 1:
        return _wanted_otherwise(world)
    return None if world.looked else looks(world)


def _require_what_is_wanted(world: World) -> None:
    tiers = [pod.label for pod in world.pods]
    found = tuple(tiers.count(tier) for tier in (Tier.SERVING, Tier.WARM, Tier.ASLEEP, Tier.DRAINING))
    if found != (world.want.serving, world.want.warm, world.want.asleep, 0):
        raise BrokenPromiseError(f"It settles at {found} and not at {world.want}.")


def _way(world: World, came_from: dict[World, World | None]) -> str:
    way: list[str] = []
    step: World | None = world
    while step is not None:
        way.append(str(step))
        step = came_from[step]
    return "\n".join(way[::-1][-12:])
