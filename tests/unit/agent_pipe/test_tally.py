"""Counts of a replica, and the gate before it."""

import asyncio
import math

from stoker_runtime.agent.gate import Gate, GateState
from stoker_runtime.agent.pipe.progress import Progress
from stoker_runtime.agent.tally import Histogram, Outcome, Tally, Usage


def test_nothing_is_known_before_the_first_request() -> None:
    tally, gate = Tally(), Gate()
    assert (tally.prompt_tokens, tally.last_progress_seconds) == (None, -math.inf)
    assert gate.last_arrival_seconds == -math.inf


async def test_idle_is_when_the_last_request_ended() -> None:
    tally = Tally()
    await tally.until_idle()
    tally.begin()
    tally.begin()
    waiting = asyncio.ensure_future(tally.until_idle())
    tally.end(Outcome.FINISHED, answered=False)
    await asyncio.sleep(0)
    assert not waiting.done()
    tally.end(Outcome.CLIENT_LEFT, answered=False)
    await waiting
    assert (tally.in_flight, tally.waiting, tally.arrivals) == (0, 0, 2)


def test_a_request_waits_until_its_answer_has_content() -> None:
    tally = Tally()
    tally.begin()
    tally.answering()
    assert (tally.in_flight, tally.waiting) == (1, 0)
    tally.end(Outcome.FINISHED, answered=True)
    assert (tally.in_flight, tally.waiting) == (0, 0)


def test_one_stream_counted_by_chunks_makes_the_sum_a_count_of_chunks() -> None:
    tally = Tally()
    tally.add_usage(Usage(1, 2))
    tally.add_chunks(3, whole=False)
    assert tally.counted == "usage"
    tally.add_chunks(3, whole=True)
    assert (tally.counted, tally.output_tokens) == ("chunks", 8)


def test_a_value_on_a_bound_is_below_it() -> None:
    histogram = Histogram((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 9.0):
        histogram.observe(seconds)
    histogram.observe(2.0, times=3)
    assert histogram.counts == [2, 4, 1]
    assert (histogram.count, histogram.sum_seconds) == (7, 18.0)


def test_the_gate_closes_step_by_step_and_opens_at_once() -> None:
    gate = Gate()
    states = []
    for move in (gate.leave, gate.refuse, gate.leave, gate.open):
        move()
        states.append(gate.state)
    assert states == [GateState.LEAVING, GateState.REFUSING, GateState.REFUSING, GateState.OPEN]


def test_a_prompt_counts_as_long_as_nothing_of_its_answer_came() -> None:
    tally = Tally()
    first, second = Progress(tally, 0.0), Progress(tally, 0.0)
    first.asked(1000)
    second.asked(50)
    assert tally.prompt_bytes == 1050
    first.content(b"x", [(0, 1)], 1.0)
    assert tally.prompt_bytes == 50
    second.end(Outcome.CLIENT_LEFT)
    assert tally.prompt_bytes == 0
