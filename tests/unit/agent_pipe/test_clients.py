"""Clients of all kinds through the pipe, on real sockets."""

import asyncio
import hashlib
import http.client
import io
import json
from pathlib import Path

import aiohttp
import pytest

from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.serving import open_pipe
from stoker_runtime.agent.pipe.upstream import SocketUpstream, TcpUpstream
from stoker_runtime.agent.tally import Outcome, Tally
from tests.unit.agent_pipe.raw_engine import RawEngine, Received, always, answer, chunks_of, piped, post

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = 32 * 1024 * 1024


async def digest(request: Received, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(hashlib.sha256(request.body).hexdigest().encode()))


async def test_one_connection_serves_one_request_after_the_other() -> None:
    async with piped(digest) as at:

        def talk() -> list[tuple[int, bytes]]:
            client = http.client.HTTPConnection("127.0.0.1", at.port)
            answers = []
            for body in (b"a", b"b", b""):
                client.request("POST", "/v1/x", body)
                response = client.getresponse()
                answers.append((response.status, response.read()))
            client.close()
            return answers

        answers = await asyncio.to_thread(talk)
        assert answers == [(200, hashlib.sha256(body).hexdigest().encode()) for body in (b"a", b"b", b"")]
        assert at.engine.connections == 1
        assert at.tally.ended[Outcome.FINISHED] == at.tally.arrivals == 3


async def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    bodies = [b"%d" % number for number in range(50)]
    async with piped(digest) as at:
        sent = b"".join(post(body) for body in bodies) + post(b"last", b"Connection: close")
        answers = await at.talk(sent)
    expected = [hashlib.sha256(body).hexdigest().encode() for body in [*bodies, b"last"]]
    assert [part[:64] for part in answers.split(b"\r\n\r\n")[1:]] == expected


async def test_a_large_body_goes_in_and_out_whole() -> None:
    async def echo(request: Received, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(request.body))
        await writer.drain()

    body = bytes(range(256)) * (LARGE // 256)
    async with piped(echo) as at, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{at.port}/v1/audio"
        async with client.post(url, data=io.BytesIO(body)) as response:
            assert await response.read() == body

        async def pieces() -> object:
            for start in range(0, LARGE, 1 << 20):
                yield body[start : start + (1 << 20)]

        async with client.post(url, data=pieces()) as response:
            assert await response.read() == body
        assert b"Transfer-Encoding: chunked" in at.engine.received[1].fields


async def test_a_stream_is_passed_on_at_once_and_byte_for_byte() -> None:
    go_on = asyncio.Event()
    first, rest = b"b\r\ndata: {1}\n\n\r\n", b"e;x=y\r\ndata: [DONE]\n\n\r\n0\r\nX-Trailer: a\r\n\r\n"

    async def answering(_: Received, __: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(CHUNKED + first)
        await go_on.wait()
        writer.write(rest)

    async with piped(answering) as at, at.connected() as (reader, writer):
        writer.write(post())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"Content-Type: text/event-stream" in head
        assert await reader.readexactly(len(first)) == first
        assert (at.tally.in_flight, at.tally.waiting) == (1, 0)
        go_on.set()
        assert await reader.readexactly(len(rest)) == rest
        await at.tally.until_idle()
        assert (chunks_of(at.tally), at.tally.ended[Outcome.FINISHED]) == (1, 1)


async def test_a_body_in_chunks_comes_in_chunks_of_our_own_with_its_trailers() -> None:
    async with piped(digest) as at:
        head = b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        body = b'3;evil="a"\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n'
        assert hashlib.sha256(b"abcde").hexdigest().encode() in await at.talk(head, body[:4], body[4:20], body[20:])
        request = at.engine.received[0]
    assert (request.body, request.trailers) == (b"abcde", [b"X-Sum: 1"])


async def test_a_client_that_asks_first_is_told_to_send() -> None:
    async with piped(digest) as at, at.connected() as (reader, writer):
        request = post(b"hello", b"Expect: 100-continue")
        writer.write(request[:-5])
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(request[-5:])
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert not [field for field in at.engine.received[0].fields if field.lower().startswith(b"expect")]


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_answers_without_content_do_not_hold_up_the_next(status: bytes) -> None:
    async with piped(always(b"HTTP/1.1 " + status + b"\r\nETag: a\r\n\r\n")) as at:
        answers = await at.talk(post(), post(b"", b"Connection: close"))
    assert answers.count(b"HTTP/1.1 " + status) == 2


async def test_the_answer_to_head_has_a_length_and_no_body() -> None:
    async with piped(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as at:
        head = b"HEAD / HTTP/1.1\r\nHost: a\r\n"
        answers = await at.talk(head + b"\r\n", head + b"Connection: close\r\n\r\n")
        assert answers.count(b"Content-Length: 5\r\n") == 2
        assert at.tally.arrivals == 0


async def test_an_old_client_gets_content_without_chunks() -> None:
    async with piped(always(CHUNKED + b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")) as at:
        answered = await at.talk(b"POST /v1/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    head, _, body = answered.partition(b"\r\n\r\n")
    assert body == b"abcde"
    assert b"chunked" not in head
    assert b"Connection: close" in head


async def test_an_old_client_keeps_its_connection_where_the_length_is_known() -> None:
    async with piped(always(answer(b"abc"))) as at:
        old = b"GET /v1/models HTTP/1.0\r\n"
        answers = await at.talk(old + b"Connection: keep-alive\r\n\r\n", old + b"\r\n")
    assert answers.count(b"abc") == 2
    assert answers.count(b"Connection: keep-alive") == answers.count(b"Connection: close") == 1


async def test_an_old_engine_that_ends_its_answer_by_closing_is_understood() -> None:
    async with piped(always(b"HTTP/1.0 200 OK\r\n\r\n", b"abc", b"de", close=True)) as at:
        async with aiohttp.ClientSession() as client:
            for _ in range(2):
                async with client.post(f"http://127.0.0.1:{at.port}/v1/x") as response:
                    assert await response.read() == b"abcde"
        assert await at.talk(b"GET / HTTP/1.0\r\n\r\n") == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde"


async def test_early_hints_are_passed_on_and_permissions_are_not() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
    async with piped(always(b"HTTP/1.1 100 Continue\r\n\r\n", hints, answer(b"abc"))) as at:
        assert (await at.talk(post(b"", b"Connection: close"))).startswith(hints + b"HTTP/1.1 200 OK\r\n")
        assert not (await at.talk(b"GET / HTTP/1.0\r\n\r\n")).startswith(hints)


async def test_an_upgrade_is_refused_and_an_offer_is_passed_over() -> None:
    async with piped(digest) as at:
        refused = await at.talk(b"GET /v1/realtime HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n")
        assert refused.startswith(b"HTTP/1.1 501 ")
        upgrade = [b"Connection: Upgrade, close, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"]
        assert (await at.talk(post(b"a", *upgrade))).startswith(b"HTTP/1.1 200 ")
        assert at.engine.received[0].fields == [b"Host: model", b"Content-Length: 1"]


async def test_two_hundred_clients_at_once_get_each_its_own_answer() -> None:
    async with piped(digest) as at, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=200)) as client:

        async def ask(number: int) -> None:
            for turn in range(3):
                body = f"{number}-{turn}".encode() * 100
                async with client.post(f"http://127.0.0.1:{at.port}/v1/x", data=body) as response:
                    assert await response.text() == hashlib.sha256(body).hexdigest()

        await asyncio.gather(*(ask(number) for number in range(200)))
        assert at.tally.ended[Outcome.FINISHED] == 600


async def test_an_engine_on_a_unix_socket_is_reached(tmp_path: Path) -> None:
    engine = RawEngine(digest)
    path = tmp_path / "engine.sock"
    server = await asyncio.start_unix_server(engine.serve, path)
    tally = Tally()
    pipe = await open_pipe(("127.0.0.1", 0), SocketUpstream(path), Gate(), tally, Limits())
    async with aiohttp.ClientSession() as client, client.post(f"http://127.0.0.1:{pipe.port}/v1/x") as response:
        assert response.status == 200
    await pipe.close(1)
    server.close()
    await engine.stop()
    assert tally.arrivals == 1


async def test_forbidden_paths_do_not_reach_the_engine() -> None:
    async with piped(digest) as at:
        answered = await at.talk(post(target=b"/v1/%2e./sleep"))
        assert answered.startswith(b"HTTP/1.1 404 ")
        error = json.loads(answered.partition(b"\r\n\r\n")[2])["error"]
        assert (error["code"], error["type"]) == (404, "not_found_error")
        assert (at.engine.received, at.tally.arrivals) == ([], 0)


async def test_gets_are_passed_on_and_not_counted() -> None:
    async with piped(always(answer(b"abc"))) as at:
        assert (await at.talk(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).endswith(b"abc")
        assert (at.tally.arrivals, sum(at.tally.ended.values()), chunks_of(at.tally)) == (0, 0, 0)


async def test_an_answer_before_the_end_of_the_request_ends_the_connection() -> None:
    """As of an engine that finds a body too large."""

    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", status=b"413 Content Too Large"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(refusing, "127.0.0.1", 0)
    upstream = TcpUpstream(server.sockets[0].getsockname()[1])
    tally = Tally()
    pipe = await open_pipe(("127.0.0.1", 0), upstream, Gate(), tally, Limits(linger_seconds=0.1, sweep_seconds=0.02))
    reader, writer = await asyncio.open_connection("127.0.0.1", pipe.port)
    writer.write(post(b"a" * 100_000)[:-10])
    assert (await reader.read()).startswith(b"HTTP/1.1 413 ")
    writer.close()
    await writer.wait_closed()
    await pipe.close(1)
    server.close()
    assert tally.ended[Outcome.REJECTED] == 1


async def test_an_old_client_does_not_take_a_cut_answer_for_a_whole_one() -> None:
    async with piped(always(CHUNKED + b"5\r\nab", close=True)) as at:
        with pytest.raises(ConnectionResetError):
            await at.talk(b"POST /v1/x HTTP/1.0\r\n\r\n")
        assert at.tally.ended[Outcome.ENGINE_FAILED] == 1


async def test_an_engine_that_closes_while_it_is_idle_costs_no_request() -> None:
    """Its end may not even have been noticed when the next request comes."""
    async with piped(always(answer(b"abc"), close=True)) as at:
        answers = await at.talk(*[post()] * 30, post(b"", b"Connection: close"))
        assert answers.count(b"HTTP/1.1 200 OK") == 31
        assert len(at.engine.received) == 31


async def test_a_request_that_ends_its_engine_is_not_tried_on_the_next_one() -> None:
    async def ending(request: Received, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if request.body == b"poison":
            writer.close()
        else:
            await digest(request, reader, writer)

    async with piped(ending) as at:
        answers = await at.talk(post(), post(b"poison"))
        assert answers.count(b"HTTP/1.1 502 ") == 1
        assert [request.body for request in at.engine.received] == [b"{}", b"poison"]
