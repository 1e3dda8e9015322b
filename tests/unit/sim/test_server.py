"""Many steps at a time are the steps that the simulated engine makes one by one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.sim.request import Request
from stoker.sim.server import Server
from stoker_runtime.simulated.batching import Batch, Sequence
from stoker_runtime.simulated.timing import PROFILES, Replica, StepCost

COST = StepCost(0.02, 1e-4, 6e-5, 2e-5)
CONSTANT = StepCost(1.0, 0.0, 0.0, 0.0)
NEVER = math.inf

Arrival = tuple[float, int, int]


class Stepwise:
    """The engine's own loop: what has arrived is added, then a step is planned and completed."""

    def __init__(self, replica: Replica, arrivals: list[Arrival], gone: dict[int, float]) -> None:
        self.batch: Batch[Sequence] = Batch(replica)
        self.sequences = [Sequence(prompt, output) for _, prompt, output in arrivals]
        self.first: dict[int, float] = {}
        self.ended: dict[int, float] = {}
        coming = [(at, "comes", number) for number, (at, _, _) in enumerate(arrivals)]
        self.events = sorted(coming + [(at, "goes", number) for number, at in gone.items()])
        self.numbers = {id(sequence): number for number, sequence in enumerate(self.sequences)}
        self._run()

    def _run(self) -> None:
        now = 0.0
        while True:
            self._happen(now)
            step = self.batch.plan()
            if step is None:
                if not self.events:
                    return
                now = self.events[0][0]
                continue
            now += step.seconds
            # One that leaves while the step runs gets no token of it.
            self._happen(now, only="goes")
            for sequence in self.batch.complete(step):
                number = self.numbers[id(sequence)]
                self.first.setdefault(number, now)
                if sequence.finished:
                    self.ended[number] = now

    def _happen(self, now: float, only: str = "") -> None:
        late = []
        for at, what, number in self.events:
            if at > now or (only and what != only):
                late.append((at, what, number))
            elif what == "comes":
                self.batch.add(self.sequences[number])
            elif not self.batch.remove(self.sequences[number]) and (arrives := self._yet_to_come(number)):
                late.append((arrives, what, number))
        self.events = late

    def _yet_to_come(self, number: int) -> float:
        return next((at for at, what, one in self.events if what == "comes" and one == number), 0.0)


def served(
    replica: Replica, arrivals: list[Arrival], gone: dict[int, float] | None = None
) -> tuple[Server, list[Request]]:
    server = Server(replica)
    requests = [Request(number, at, prompt, output) for number, (at, prompt, output) in enumerate(arrivals)]
    happen = [(at, 0, number) for number, (at, _, _) in enumerate(arrivals)]
    happen += [(at, 1, number) for number, at in (gone or {}).items()]
    for at, kind, number in sorted(happen):
        while server.next_at < at:
            server.progress()
        if kind == 0:
            requests[number].submitted = at
            server.submit(requests[number], at)
        elif requests[number].ended < 0:
            server.remove(requests[number], at)
    while server.next_at < NEVER:
        server.progress()
    return server, requests


def _arrivals(drawn: list[tuple[int, int, int]]) -> list[Arrival]:
    """No two things at the very same time: an arrival at the end of a step may count to either."""
    found, now = [], 0
    for index, (gap, prompt, output) in enumerate(drawn):
        now += gap
        found.append((now * 1e-3 + math.sqrt(index + 2) * 1e-6, prompt, output))
    return found


arrivals = st.lists(
    st.tuples(st.one_of(st.integers(1, 25), st.integers(1, 2_000)), st.integers(1, 60), st.integers(0, 38)),
    min_size=1,
    max_size=25,
).map(_arrivals)


@given(arrivals, st.integers(100, 400), st.integers(1, 12), st.integers(12, 90))
def test_every_first_and_last_token_comes_when_the_engine_says(
    given_arrivals: list[Arrival], kv_tokens: int, max_sequences: int, step_tokens: int
) -> None:
    replica = Replica(COST, kv_tokens, max_sequences, step_tokens)
    engine = Stepwise(replica, given_arrivals, {})
    server, requests = served(replica, given_arrivals)
    assert server.preemptions == engine.batch.preemptions
    assert {one.number: one.first for one in requests} == pytest.approx(engine.first, abs=1e-7)
    assert {one.number: one.ended for one in requests} == pytest.approx(engine.ended, abs=1e-7)
    assert server.cached_tokens == server.in_flight == server.unanswered == 0


@given(arrivals, st.integers(100, 400), st.dictionaries(st.integers(0, 24), st.integers(1, 3_000), max_size=8))
def test_those_that_leave_free_what_they_held_when_the_step_ends(
    given_arrivals: list[Arrival], kv_tokens: int, stays: dict[int, int]
) -> None:
    replica = Replica(COST, kv_tokens, 6, 40)
    known = {number: stay for number, stay in stays.items() if number < len(given_arrivals)}
    gone = {number: given_arrivals[number][0] + stay * 1e-3 + 3.3e-7 for number, stay in known.items()}
    engine = Stepwise(replica, given_arrivals, gone)
    server, requests = served(replica, given_arrivals, gone)
    ended = {one.number: one.ended for one in requests if not one.gone}
    assert ended == pytest.approx(engine.ended, abs=1e-7)
    assert server.cached_tokens == server.in_flight == server.unanswered == 0
    assert server.arrivals == server.finished + server.failed


def test_a_run_of_steps_is_one_event() -> None:
    server = Server(PROFILES["l40s"])
    server.submit(Request(0, 0.0, 1_000, 500), 0.0)
    events = 0
    while server.next_at < NEVER:
        server.progress()
        events += 1
    assert events == 2
    assert server.step == 500


def test_an_arrival_waits_for_the_end_of_the_step_under_way() -> None:
    server = Server(Replica(CONSTANT, 1_000, 4, 100))
    server.submit(Request(0, 0.0, 10, 50), 0.0)
    server.progress()
    late = Request(1, 3.5, 10, 50)
    server.submit(late, 3.5)
    assert server.next_at == 4.0
    server.progress()
    server.progress()
    assert late.first == 5.0


def test_gaps_above_the_objective_are_counted_for_each_request() -> None:
    # A step takes a second, and with a prompt of 100 tokens two.
    server = Server(Replica(StepCost(1.0, 0.01, 0.0, 0.0), 10_000, 4, 1_000), slow_seconds=1.5)
    disturbed, other = Request(0, 0.0, 1, 10), Request(1, 3.5, 100, 10)
    server.submit(disturbed, 0.0)
    while server.next_at < 3.5:
        server.progress()
    server.submit(other, 3.5)
    while server.next_at < NEVER:
        server.progress()
    assert (disturbed.slow_gaps, other.slow_gaps) == (1, 0)


def test_the_steps_of_a_run_that_grow_beyond_the_objective_are_counted() -> None:
    # With one more token in the cache a step takes 10 ms longer: 1.03, 1.04 … and 1.095 is passed after seven.
    server = Server(Replica(StepCost(1.0, 0.0, 0.0, 0.01), 10_000, 4, 1_000), slow_seconds=1.095)
    request = Request(0, 0.0, 2, 15)
    server.submit(request, 0.0)
    while server.next_at < NEVER:
        server.progress()
    assert request.slow_gaps == 14 - 7


def test_a_process_that_dies_loses_all_it_had_once() -> None:
    server = Server(Replica(CONSTANT, 1_000, 2, 30))
    requests = [Request(number, 0.0, 25, 9) for number in range(4)]
    for request in requests:
        server.submit(request, 0.0)
    server.progress()
    lost = server.abort_all()
    assert sorted(request.number for request in lost) == [0, 1, 2, 3]
    assert server.next_at == NEVER
    assert (server.in_flight, server.failed, server.cached_tokens) == (0, 4, 0)


def test_a_step_must_have_room_for_a_token_of_each_sequence() -> None:
    with pytest.raises(ValueError, match="step_tokens 4 is less than max_sequences 8"):
        Server(Replica(CONSTANT, 100, 8, 4))


def test_the_first_step_of_a_new_process_is_slower_and_only_that() -> None:
    server = Server(Replica(CONSTANT, 1_000, 2, 30), first_step_seconds=5.0)
    request = Request(0, 0.0, 10, 2)
    server.submit(request, 0.0)
    server.progress()
    server.progress()
    assert (request.first, request.ended) == (6.0, 7.0)
