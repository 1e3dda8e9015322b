"""Whoever does not read is not written to without end."""

import asyncio

from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.tally import Outcome
from tests.unit.agent_pipe.memory import Bench, settled
from tests.unit.agent_pipe.raw_engine import Received, answer, comes_true, piped, post

_SOCKETS_BYTES = 16 << 20  # what the kernel may hold on the way, generously
_BODY_BYTES = 64 << 20


async def test_a_client_that_does_not_read_stops_the_engine() -> None:
    taken = 0

    async def streaming(_: Received, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _BODY_BYTES)
        block = b"a" * 65536
        while taken < _BODY_BYTES:
            writer.write(block)
            await writer.drain()
            taken += len(block)

    async with piped(streaming) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=65536)
        writer.write(post())
        seen = -1
        while seen != taken or not taken:
            seen = taken
            await asyncio.sleep(0.1)
        assert taken < _SOCKETS_BYTES
        await reader.readuntil(b"\r\n\r\n")
        left = _BODY_BYTES
        while left:
            left -= len(await reader.read(1 << 20))
        writer.close()
        await writer.wait_closed()


async def test_an_engine_that_does_not_read_stops_the_client() -> None:
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        await reader.readexactly(_BODY_BYTES)
        writer.write(answer(b"taken", b"Connection: close"))
        writer.close()

    async with piped(lambda *_: asyncio.sleep(0)) as at:
        at.engine._serve = serve  # type: ignore[method-assign]
        async with at.connected() as (reader, writer):
            writer.write(post(b"").replace(b"Content-Length: 0", b"Content-Length: %d" % _BODY_BYTES))
            sent = 0

            async def send() -> None:
                nonlocal sent
                while sent < _BODY_BYTES:
                    writer.write(b"a" * 65536)
                    await writer.drain()
                    sent += 65536

            sending = asyncio.ensure_future(send())
            seen = -1
            while seen != sent or not sent:
                seen = sent
                await asyncio.sleep(0.1)
            assert sent < _SOCKETS_BYTES
            go_on.set()
            await sending
            assert (await reader.readuntil(b"taken")).startswith(b"HTTP/1.1 200 ")


async def test_a_body_that_comes_before_the_engine_is_connected_is_held_up() -> None:
    bench = Bench(Limits(high_water_bytes=1000))
    client = bench.client()
    request = post(b"a" * 5000)
    client.arrives(request[:3000])
    assert not client.is_reading()
    await settled()
    assert client.is_reading()
    client.arrives(request[3000:])
    assert bytes(bench.engines[0].sent).endswith(b"a" * 5000)


async def test_requests_sent_ahead_are_held_up() -> None:
    bench = Bench()
    client = bench.client()
    client.arrives(post())
    await settled()
    client.arrives(post(b"a" * bench.limits.head_bytes))
    assert not client.is_reading()
    bench.engines[0].arrives(answer())
    await settled()
    assert client.is_reading()
    assert bytes(bench.engines[0].sent).count(b"POST ") == 2


async def test_answers_that_are_not_read_hold_up_the_next_request() -> None:
    bench = Bench()
    client = bench.client()
    client.arrives(post() * 2)
    await settled()
    client.protocol.pause_writing()
    bench.engines[0].arrives(answer())
    await settled()
    assert bytes(bench.engines[0].sent).count(b"POST ") == 1
    client.protocol.resume_writing()
    await settled()
    assert bytes(bench.engines[0].sent).count(b"POST ") == 2


async def test_a_connection_that_was_held_up_is_read_again_for_its_next_request() -> None:
    bench = Bench()
    client = bench.client()
    client.arrives(post())
    await settled()
    engine = bench.engines[0]
    engine.arrives(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
    client.protocol.pause_writing()
    assert not engine.is_reading()
    engine.arrives(b"b")  # read before it was held up
    assert engine.is_reading()
    assert bench.plumbing.pool.idle == 1


async def test_a_client_that_left_is_noticed_by_the_engine() -> None:
    async def streaming(_: Received, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\na")
        await asyncio.sleep(0)

    async with piped(streaming) as at:
        async with at.connected() as (reader, writer):
            writer.write(post())
            await reader.readuntil(b"\r\n\r\na")
        await asyncio.wait_for(at.engine.left.wait(), 5)
        await comes_true(lambda: at.tally.in_flight == 0)
        assert at.tally.ended[Outcome.CLIENT_LEFT] == 1
