"""Requests of one model on their way: arrivals, steps of the replicas, what waits while no replica takes traffic.

The innermost loop of the simulation: one event for each arrival and for each change of a replica's batch.
"""

import random
from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import inf

from stoker.sim.pod import Pod
from stoker.sim.request import NEVER, Request
from stoker.sim.router import router
from stoker.sim.server import Server
from stoker.sim.setup import Way
from stoker.sim.trace import Trace


class Traffic:
    def __init__(self, trace: Trace, way: Way, chance: random.Random) -> None:
        self._trace = trace
        self._way = way
        self._choose = router(way, chance)
        self._arrivals = (*trace.arrivals, inf)
        self._next = 0
        self._heap: list[tuple[float, int, Server]] = []
        self._numbers = count()  # settle what is due at the same time
        self._patient: deque[Request] = deque()
        self.requests: list[Request] = []
        self.held: deque[Request] = deque()  # no replica takes traffic
        self.servers: list[Server] = []  # those that do
        self.cut: list[Request] = []
        self.abandoned: list[Request] = []
        self._where: dict[int, Server] = {}
        self.drained: Callable[[Pod, float], None] = lambda _pod, _now: None

    @property
    def arrived(self) -> int:
        return self._next

    def run_until(self, limit: float) -> bool:
        """Whether it stopped before, because a replica that leaves has nothing in flight any more."""
        arrivals, heap, numbers = self._arrivals, self._heap, self._numbers
        arrival = arrivals[self._next]
        while True:
            if heap and heap[0][0] <= arrival:
                due, _, server = heap[0]
                if due > limit:
                    return False
                heappop(heap)
                if server.next_at != due:
                    continue  # cut short since, or gone
                server.progress()
                if server.next_at != inf:
                    heappush(heap, (server.next_at, next(numbers), server))
                if server.in_flight == 0:
                    owner = server.owner
                    if isinstance(owner, Pod) and owner.leaving:
                        self.drained(owner, due)
                        return True
            else:
                if arrival > limit:
                    return False
                self._arrive(arrival)
                arrival = arrivals[self._next]

    def _arrive(self, now: float) -> None:
        index = self._next
        self._next += 1
        trace = self._trace
        request = Request(index, now, trace.prompts[index], trace.outputs[index])
        if trace.prefixes:
            request.prefix = trace.prefixes[index]
        self.requests.append(request)
        if self._way.patience_seconds is not None:
            self._patient.append(request)
        self._send(request, now)

    def _send(self, request: Request, now: float) -> None:
        if not self.servers:
            self.held.append(request)
            return
        server = self._choose(self.servers, request)
        if request.prefix >= 0 and isinstance(server.owner, Pod):
            found = server.owner.finds_prefix(request.prefix, self._way.prefixes_kept)
            shared = int(request.prompt_tokens * self._trace.prefix_share) if found else 0
            request.computed_tokens = request.uncomputed = max(1, request.prompt_tokens - shared)
        if self._way.patience_seconds is not None:
            self._where[request.number] = server
        before = server.next_at
        server.submit(request, now)
        if server.next_at != before:
            heappush(self._heap, (server.next_at, next(self._numbers), server))

    def join(self, server: Server, now: float) -> None:
        if server not in self.servers:
            self.servers.append(server)
        held, self.held = self.held, deque()
        for request in held:
            self._send(request, now)

    def part(self, server: Server) -> None:
        if server in self.servers:
            self.servers.remove(server)

    def lose(self, server: Server) -> None:
        """The replica is gone with all that it had in flight."""
        self.part(server)
        self.cut += server.abort_all()

    def give_up(self, now: float) -> None:
        """Clients whose patience has ended try again, or leave."""
        patience, patient = self._way.patience_seconds, self._patient
        while patience is not None and patient and patient[0].submitted + patience <= now:
            request = patient.popleft()
            if request.first != NEVER or request.gone:
                continue
            self._withdraw(request, now)
            request.gone = True
            if request.tries >= self._way.retries:
                self.abandoned.append(request)
                continue
            # Its replica may still be at a step with the old one.
            again = Request(request.number, request.arrived, request.prompt_tokens, request.output_tokens)
            again.prefix, again.tries, again.submitted = request.prefix, request.tries + 1, now
            self.requests[again.number] = again
            patient.append(again)
            self._send(again, now)

    def _withdraw(self, request: Request, now: float) -> None:
        if request in self.held:
            self.held.remove(request)
        elif (server := self._where.pop(request.number, None)) is not None:
            server.remove(request, now)
            if server.next_at != inf:
                heappush(self._heap, (server.next_at, next(self._numbers), server))
