"""Which replica a request goes to."""

import random
from collections import deque
from collections.abc import Callable

from stoker.sim.request import NEVER, Request
from stoker.sim.server import Server
from stoker.sim.setup import Routing, Way

Choose = Callable[[list[Server], Request], Server]


def router(way: Way, chance: random.Random) -> Choose:
    if way.routing is Routing.LEAST_LOAD:
        return _least_load
    if way.routing is Routing.RANDOM:
        return lambda servers, _request: chance.choice(servers)
    if way.routing is Routing.POOLED:
        return _Pooled(way, chance).choose
    return _Sticky(way, chance).choose


def _least_load(servers: list[Server], _request: Request) -> Server:
    chosen = servers[0]
    least = chosen.in_flight
    for server in servers:
        if server.in_flight < least:
            chosen, least = server, server.in_flight
    return chosen


class _Sticky:
    """Connections that stay with their replica until it leaves or the client opens them anew."""

    def __init__(self, way: Way, chance: random.Random) -> None:
        self._chance = chance
        self._renewal = 1 / way.requests_of_a_connection
        self._connections: list[Server | None] = [None] * way.connections

    def choose(self, servers: list[Server], _request: Request) -> Server:
        index = self._chance.randrange(len(self._connections))
        server = self._connections[index]
        if server is None or server not in servers or self._chance.random() < self._renewal:
            server = self._connections[index] = self._chance.choice(servers)
        return server


class _Pooled:
    """Every other request takes a connection of its own, the others one that is free, the longest unused first.

    A replica that leaves, and one whose streams wait, let go of a connection with the answer that they give on it.
    """

    def __init__(self, way: Way, chance: random.Random) -> None:
        self._chance = chance
        self._lets_go_seconds = way.lets_go_seconds
        self._busy: list[tuple[Request, Server, bool]] = []  # the last: whether it is let go
        self._free: deque[Server] = deque()

    def choose(self, servers: list[Server], request: Request) -> Server:
        if request.number % 2:
            return self._chance.choice(servers)
        self._give_back(servers)
        server: Server | None = None
        while server is None and self._free:
            unused = self._free.popleft()
            server = unused if unused in servers else None
        if server is None:
            server = self._chance.choice(servers)
        self._busy.append((request, server, server.last_wait_seconds > self._lets_go_seconds))
        return server

    def _give_back(self, servers: list[Server]) -> None:
        ended = [one for one in self._busy if one[0].ended != NEVER]
        self._busy = [one for one in self._busy if one[0].ended == NEVER and not one[0].gone]
        ended.sort(key=lambda one: one[0].ended)
        self._free.extend(server for _, server, goes in ended if not goes and server in servers)
