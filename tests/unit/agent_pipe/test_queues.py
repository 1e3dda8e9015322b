"""A kept connection does not hold its client to a replica whose queue is long."""

import pytest

from tests.unit.agent_pipe.memory import Bench, settled
from tests.unit.agent_pipe.raw_engine import answer, post

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
FIRST, LAST = b"9\r\ndata: 1\n\n\r\n", b"0\r\n\r\n"


async def streamed(bench: Bench, wait_seconds: float) -> bool:
    """Whether a client whose first chunk came so late was told to take another connection."""
    client = bench.client()
    client.arrives(post())
    await settled()
    engine = next(wire for wire in reversed(bench.engines) if not wire.gone)
    engine.arrives(HEAD)
    bench.later(wait_seconds)
    engine.arrives(FIRST + LAST)
    told = b"Connection: close" in client.taken()
    assert client.ended == told
    return told


async def whole(bench: Bench, wait_seconds: float) -> bool:
    client = bench.client()
    client.arrives(post())
    await settled()
    bench.later(wait_seconds)
    next(wire for wire in reversed(bench.engines) if not wire.gone).arrives(answer(b"abc"))
    return b"Connection: close" in client.taken()


async def test_whoever_comes_behind_a_long_wait_connects_anew_next_time() -> None:
    bench = Bench()
    assert not await streamed(bench, 1.5)  # its head had gone before
    assert await streamed(bench, 0.1)
    assert not await streamed(bench, 0.1), "the queue is gone"


async def test_an_answer_in_one_piece_is_sent_away_from_a_queue_as_well() -> None:
    bench = Bench()
    await streamed(bench, 1.5)
    assert await whole(bench, 0.1)


@pytest.mark.parametrize("wait_seconds", [0.5, 5.0])
async def test_an_answer_in_one_piece_that_takes_long_is_no_queue(wait_seconds: float) -> None:
    bench = Bench()
    assert not await whole(bench, wait_seconds)
    assert not await whole(bench, wait_seconds)


async def test_a_wait_of_long_ago_says_nothing() -> None:
    bench = Bench()
    await streamed(bench, 1.5)
    bench.later(bench.limits.queued_seconds)
    assert not await streamed(bench, 0.1)
