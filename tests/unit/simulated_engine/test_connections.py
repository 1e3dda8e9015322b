"""Connections, as clients, probes and proxies use them."""

import asyncio

from tests.unit.simulated_engine.served import Served


async def talk(engine: Served, data: bytes, *, until: bytes = b"") -> bytes:
    """What comes back, to the end of the connection or to the first `until`."""
    host, port = "127.0.0.1", engine.port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(data)
    answer = await (reader.readuntil(until) if until else reader.read())
    writer.close()
    await writer.wait_closed()
    return answer


GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with Served() as engine:
        answer = await talk(engine, GET + b"\r\n" + GET + b"\r\n" + GET + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert answer.count(b"connection: close") == 1


async def test_an_old_client_gets_its_stream_without_chunks() -> None:
    body = b'{"prompt":"a","stream":true,"max_tokens":2}'
    head = b"POST /v1/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with Served() as engine:
        answer = await talk(engine, head + body)
    assert b"transfer-encoding" not in answer
    assert answer.endswith(b"\n\ndata: [DONE]\n\n")


async def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    head = b"POST /v1/completions HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    async with Served() as engine:
        assert await talk(engine, head, until=b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"


async def test_nonsense_is_refused_and_ends_the_connection() -> None:
    async with Served() as engine:
        answer = await talk(engine, b"nonsense\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_large_prompt_arrives() -> None:
    async with Served(context_length=90_000) as engine:
        answer = await engine.complete(prompt="word" * 80_000, max_tokens=1)
    assert answer["usage"]["prompt_tokens"] == 80_001
