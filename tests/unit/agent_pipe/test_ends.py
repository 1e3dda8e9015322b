"""How exchanges end when somebody leaves, breaks, or is not there. Without sockets, so that each order can be had."""

import json

from stoker_runtime.agent.tally import Outcome
from tests.unit.agent_pipe.memory import Bench, Wire, settled
from tests.unit.agent_pipe.raw_engine import answer, post

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n"


async def asked(bench: Bench, request: bytes) -> tuple[Wire, Wire]:
    """A client that asked, and the engine's side."""
    client = bench.client()
    client.arrives(request)
    await settled()
    return client, bench.engines[-1]


async def pooled(bench: Bench) -> Wire:
    """An engine's connection that waits for its next request."""
    client, engine = await asked(bench, post())
    engine.taken()
    engine.arrives(answer())
    client.is_lost()
    return engine


def error(client: Wire) -> int:
    head, _, body = client.taken().partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert b"Connection: close" in head
    assert json.loads(body)["error"]["code"] == status
    assert client.ended
    return status


async def test_a_client_that_leaves_takes_its_request_with_it() -> None:
    bench = Bench()
    client, engine = await asked(bench, post())
    engine.arrives(CHUNKED + b"1\r\na\r\n")
    client.is_lost()
    assert engine.is_closing()
    assert (bench.tally.ended[Outcome.CLIENT_LEFT], bench.tally.in_flight, bench.tally.waiting) == (1, 0, 0)


async def test_a_client_that_ends_its_side_has_left() -> None:
    bench = Bench()
    client, engine = await asked(bench, post())
    client.protocol.eof_received()
    assert engine.is_closing()
    assert bench.tally.ended[Outcome.CLIENT_LEFT] == 1


async def test_a_client_that_leaves_while_the_engine_is_being_connected_costs_nothing() -> None:
    bench = Bench()
    client = bench.client()
    client.arrives(post())
    client.is_lost()
    await settled()
    assert bench.tally.ended[Outcome.CLIENT_LEFT] == 1
    assert not bench.engines[0].sent
    assert bench.plumbing.pool.idle == 1


async def test_an_engine_that_is_not_there_is_a_bad_gateway() -> None:
    bench = Bench(unreachable=ConnectionRefusedError(111, "Connection refused"))
    client = bench.client()
    client.arrives(post())
    await settled()
    assert error(client) == 502
    assert (bench.tally.ended[Outcome.ENGINE_FAILED], bench.tally.waiting) == (1, 0)


async def test_an_engine_that_drops_what_it_accepts_is_a_bad_gateway() -> None:
    bench = Bench(drops_connections=True)
    client = bench.client()
    client.arrives(post())
    await settled()
    assert error(client) == 502
    assert bench.tally.in_flight == 0


async def test_an_engine_that_closes_without_an_answer_is_a_bad_gateway() -> None:
    bench = Bench()
    client, engine = await asked(bench, post())
    engine.is_lost()
    assert error(client) == 502
    assert bench.tally.ended[Outcome.ENGINE_FAILED] == 1


async def test_an_engine_that_answers_nonsense_is_a_bad_gateway() -> None:
    for nonsense in (b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\n\n", b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", b"x" * 70_000):
        bench = Bench()
        client, engine = await asked(bench, post())
        engine.arrives(nonsense)
        assert error(client) == 502
        assert engine.is_closing()


async def test_an_answer_that_is_cut_does_not_look_whole() -> None:
    for head in (CHUNKED + b"5\r\nab", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"):
        bench = Bench()
        client, engine = await asked(bench, post())
        engine.arrives(head)
        engine.is_lost()
        assert client.taken() == head
        assert client.is_closing()
        assert bench.tally.ended[Outcome.ENGINE_FAILED] == 1


async def test_an_answer_in_broken_chunks_is_cut_before_them() -> None:
    bench = Bench()
    client, engine = await asked(bench, post())
    engine.arrives(CHUNKED + b"2\r\nab\r\n")
    engine.arrives(b"nonsense\r\n")
    assert client.taken() == CHUNKED + b"2\r\nab\r\n"
    assert client.is_closing()
    assert engine.is_closing()


async def test_what_an_engine_says_behind_its_answer_reaches_nobody() -> None:
    bench = Bench()
    client, engine = await asked(bench, post())
    engine.arrives(answer(b"abc") + answer(b"another's"))
    assert client.taken() == answer(b"abc")
    assert engine.is_closing()
    client.arrives(post())
    await settled()
    assert len(bench.engines) == 2


async def test_what_an_engine_says_unasked_reaches_nobody() -> None:
    bench = Bench()
    engine = await pooled(bench)
    engine.arrives(answer(b"nobody's"))
    assert engine.is_closing()
    client, fresh = await asked(bench, post())
    fresh.arrives(answer(b"mine"))
    assert client.taken() == answer(b"mine")


async def test_the_connection_used_last_is_used_next() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, again = await asked(bench, post(b"second"))
    assert again is engine
    assert engine.taken().endswith(b"second")
    assert not client.sent


async def test_a_connection_that_waited_long_is_not_used() -> None:
    bench = Bench()
    engine = await pooled(bench)
    bench.later(bench.limits.pooled_seconds + 0.1)
    assert engine.is_closing()
    assert bench.plumbing.pool.idle == 0


async def test_a_request_that_changes_nothing_is_sent_again_when_a_waiting_connection_turns_out_closed() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, _ = await asked(bench, GET)
    sent = engine.taken()
    engine.is_lost()
    await settled()
    fresh = bench.engines[-1]
    assert fresh is not engine
    assert fresh.taken() == sent
    fresh.arrives(answer(b"abc"))
    assert client.taken() == answer(b"abc")


async def test_it_is_sent_again_only_once() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, _ = await asked(bench, GET)
    engine.is_lost()
    await settled()
    bench.engines[-1].is_lost()
    assert error(client) == 502


async def test_a_request_that_is_not_yet_whole_is_sent_again() -> None:
    bench = Bench()
    engine = await pooled(bench)
    request = post(b"hello")
    client, _ = await asked(bench, request[:-3])
    engine.is_lost()
    client.arrives(request[-3:])
    await settled()
    assert bench.engines[-1].taken().endswith(b"\r\n\r\nhello")
    assert bench.tally.arrivals == 2


async def test_a_whole_request_to_a_model_may_be_at_work_and_is_not_sent_again() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, _ = await asked(bench, post(b"hello"))
    engine.is_lost()
    await settled()
    assert error(client) == 502
    assert len(bench.engines) == 1


async def test_a_whole_request_that_the_engine_cannot_have_read_is_sent_again() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, _ = await asked(bench, post(b"hello"))
    sent = engine.taken()
    engine.is_lost(ConnectionResetError())
    await settled()
    assert bench.engines[-1].taken() == sent
    bench.engines[-1].arrives(answer(b"abc"))
    assert client.taken() == answer(b"abc")


async def test_nothing_is_sent_again_once_a_byte_of_the_answer_came() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, _ = await asked(bench, GET)
    engine.arrives(b"HTTP/1.1 2")
    engine.is_lost()
    await settled()
    assert error(client) == 502
    assert len(bench.engines) == 1


async def test_a_large_upload_is_not_kept_to_be_sent_again() -> None:
    bench = Bench()
    engine = await pooled(bench)
    client, _ = await asked(bench, post(b"a" * (bench.limits.retry_bytes + 1))[:-1])
    engine.is_lost()
    await settled()
    assert error(client) == 502
