"""A replica goes: clients are told, streams end, and nobody is cut."""

import asyncio

import aiohttp

from stoker_runtime.agent.tally import Outcome
from tests.unit.agent_pipe.memory import Bench, settled
from tests.unit.agent_pipe.raw_engine import Received, always, answer, comes_true, piped, post

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_pooled_clients_are_told_to_connect_elsewhere_and_still_served() -> None:
    async with piped(always(answer(b"abc"))) as at, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{at.port}/v1/x"
        async with client.post(url) as response:
            assert "Connection" not in response.headers
            await response.read()
        at.gate.leave()
        async with client.post(url) as response:
            assert response.headers["Connection"] == "close"
            assert await response.read() == b"abc"
        await comes_true(lambda: at.pipe.connections == 0)


async def test_streams_go_on_while_new_requests_are_refused() -> None:
    go_on = asyncio.Event()

    async def streaming(_: Received, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + b"9\r\ndata: 1\n\n\r\n")
        await go_on.wait()
        writer.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    async with piped(streaming) as at, at.connected() as (reader, writer):
        writer.write(post())
        await reader.readuntil(b"data: 1\n\n\r\n")
        at.gate.leave()
        at.gate.refuse()
        refused = await at.talk(post())
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in refused
        assert b"\r\nConnection: close\r\n" in refused
        assert (at.tally.in_flight, at.tally.arrivals, at.tally.ended[Outcome.REFUSED]) == (1, 1, 1)
        go_on.set()
        assert await reader.readuntil(b"0\r\n\r\n") == b"9\r\ndata: 2\n\n\r\n0\r\n\r\n"
        assert at.tally.ended[Outcome.FINISHED] == 1


async def test_a_refused_client_is_not_asked_for_its_body() -> None:
    async with piped(always(answer())) as at:
        at.gate.refuse()
        refused = await at.talk(post(b"hello", b"Expect: 100-continue")[:-5])
        assert refused.startswith(b"HTTP/1.1 503 ")


async def test_what_comes_while_leaving_counts_as_an_arrival_at_the_gate() -> None:
    bench = Bench(now_seconds=5.0)
    bench.client().arrives(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    assert bench.gate.last_arrival_seconds < 0
    bench.gate.leave()
    bench.client().arrives(post())
    assert bench.gate.last_arrival_seconds == 5.0
    bench.gate.refuse()
    bench.later(1)
    bench.client().arrives(post())
    assert bench.gate.last_arrival_seconds == 6.0
    await settled()


async def test_an_answer_that_began_before_keeps_its_connection_for_one_more() -> None:
    """Its client was not told, and may send its next request at any moment."""
    bench = Bench()
    client = bench.client()
    client.arrives(post())
    await settled()
    bench.engines[0].arrives(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
    bench.gate.leave()
    bench.engines[0].arrives(b"b")
    assert not client.ended
    client.taken()
    client.arrives(post())
    bench.engines[0].arrives(answer())
    assert b"Connection: close" in client.taken()
    assert client.ended


async def test_requests_behind_the_one_that_was_told_are_not_begun() -> None:
    bench = Bench()
    bench.gate.leave()
    client = bench.client()
    client.arrives(post() * 3)
    await settled()
    bench.engines[0].arrives(answer())
    await settled()
    assert bytes(bench.engines[0].sent).count(b"POST ") == 1
    assert bench.tally.arrivals == 1


async def test_closing_waits_for_what_runs_and_not_for_who_is_idle() -> None:
    go_on = asyncio.Event()

    async def slow(_: Received, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(answer(b"abc"))

    async with piped(slow) as at, at.connected() as (idle, _), at.connected() as (reader, writer):
        writer.write(post())
        await comes_true(lambda: at.tally.in_flight == 1)
        closing = asyncio.ensure_future(at.pipe.close(10))
        assert await idle.read() == b""
        assert not closing.done()
        go_on.set()
        assert (await reader.read()).endswith(b"Connection: close\r\n\r\nabc")
        writer.close()
        await closing


async def test_closing_cuts_what_does_not_end_in_its_grace() -> None:
    async def never(_: Received, reader: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await reader.read()

    async with piped(never) as at, at.connected() as (_, writer):
        writer.write(post())
        await comes_true(lambda: at.tally.in_flight == 1)
        await at.pipe.close(0.05)
        assert (at.tally.in_flight, at.tally.ended[Outcome.CLIENT_LEFT]) == (0, 1)


async def test_a_connection_that_a_pool_has_kept_is_served_once_more_and_a_new_one_is_refused() -> None:
    bench = Bench()
    kept = bench.client()
    bench.later(6)
    bench.gate.leave()
    bench.gate.refuse(after_seconds=bench.now_seconds)
    bench.later(1)
    kept.arrives(post())
    assert (bench.tally.arrivals, bench.tally.ended[Outcome.REFUSED]) == (1, 0)
    bench.client().arrives(post())
    assert bench.tally.ended[Outcome.REFUSED] == 1
    await settled()
