"""Which replica a request goes to."""

import random
from collections.abc import Callable

from stoker.sim.server import Server
from stoker.sim.setup import Routing, Way

Choose = Callable[[list[Server]], Server]


def router(way: Way, chance: random.Random) -> Choose:
    if way.routing is Routing.LEAST_LOAD:
        return _least_load
    if way.routing is Routing.RANDOM:
        return chance.choice
    return _Sticky(way, chance).choose


def _least_load(servers: list[Server]) -> Server:
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

    def choose(self, servers: list[Server]) -> Server:
        index = self._chance.randrange(len(self._connections))
        server = self._connections[index]
        if server is None or server not in servers or self._chance.random() < self._renewal:
            server = self._connections[index] = self._chance.choice(servers)
        return server
