"""Talking to an engine that answers late, partly, wrongly, or not at all."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from e2e.cluster.free_ports import free_ports
from stoker_runtime.agent.engine.counters import EngineCounters, fetched_from
from stoker_runtime.agent.engine.health import Health, ask_health
from stoker_runtime.agent.engine.loopback import EngineGoneError, EngineLateError, EngineNonsenseError, ask
from stoker_runtime.agent.engine.warm_up import warm_up
from stoker_runtime.agent.pipe.upstream import SocketUpstream, TcpUpstream

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def engine(*answers: bytes, stays_open: bool = False) -> AsyncIterator[tuple[TcpUpstream, list[bytes]]]:
    """Answers each connection with the next of `answers`, the last one for ever."""
    heard: list[bytes] = []
    held: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answers[min(len(heard), len(answers)) - 1])
        if stays_open:
            held.append(writer)
        else:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield TcpUpstream(server.sockets[0].getsockname()[1]), heard
    for writer in held:
        writer.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 5\r\n\r\nhello and more",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
        OK + b"\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length:5\r\n\r\nhello",
    ],
)
async def test_an_answer_is_read_however_it_is_framed(answer: bytes) -> None:
    async with engine(answer) as (address, heard):
        answered = await ask(address, "GET", "/metrics", 5)
    assert (answered.status, answered.body) == (200, b"hello")
    assert heard[0].startswith(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 x OK\r\n\r\n",
        OK + b"Content-Length: 50\r\n\r\nhello",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: 99999999999\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
        OK + b"A: " + b"a" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_makes_no_sense_is_told_as_such(answer: bytes) -> None:
    async with engine(answer) as (address, _):
        with pytest.raises(EngineNonsenseError, match="no proper answer to GET /x"):
            await ask(address, "GET", "/x", 5)
        assert await ask_health(address, "/x") is Health.BAD


async def test_an_answer_that_does_not_come_is_late_and_nobody_is_dead() -> None:
    async with engine(OK, stays_open=True) as (address, _):
        with pytest.raises(EngineLateError, match=r"within 0\.1 s"):
            await ask(address, "GET", "/x", 0.1)
        assert await ask_health(address, "/x", 0.1) is Health.LATE


async def test_where_nobody_listens_the_engine_is_gone(tmp_path: Path) -> None:
    for address in (TcpUpstream(free_ports(1)[0]), SocketUpstream(tmp_path / "none.sock")):
        with pytest.raises(EngineGoneError, match="nobody listens on"):
            await ask(address, "GET", "/x", 1)
        assert await ask_health(address, "/x") is Health.GONE


async def test_a_status_of_503_is_bad_health() -> None:
    async with engine(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") as (address, _):
        assert await ask_health(address, "/health") is Health.BAD


async def test_an_engine_on_a_socket_is_asked_there(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Content-Length: 0\r\n\r\n")
        writer.close()

    path = tmp_path / "engine.sock"
    server = await asyncio.start_unix_server(serve, path)
    assert await ask_health(SocketUpstream(path), "/health") is Health.GOOD
    server.close()


async def test_a_warm_up_that_fails_is_told_with_its_number() -> None:
    good = OK + b"Content-Length: 2\r\n\r\n{}"
    async with engine(good, b"HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\nnope") as (address, heard):
        problem = await warm_up(address, "m", ["a", "b", "c"], 5)
    assert problem == "warm-up prompt 2 of 3 failed: /v1/completions answered status 404 (nope)."
    assert heard[0].startswith(b"POST /v1/completions ")


async def test_a_warm_up_does_not_wait_for_ever() -> None:
    async with engine(OK, stays_open=True) as (address, _):
        began = time.monotonic()
        problem = await warm_up(address, "m", ["a", "b"], 0.2)
    assert problem is not None
    assert "no answer to POST /v1/completions within" in problem
    assert time.monotonic() - began < 2


async def test_while_nobody_asks_the_engine_is_left_alone() -> None:
    page = OK + b"Content-Length: 28\r\n\r\nvllm:num_requests_running 3\n"
    async with engine(page) as (address, heard):
        counters = EngineCounters("vllm", fetched_from(address, "/metrics"))
        reading = asyncio.create_task(counters.run())
        await asyncio.sleep(0.3)
        assert (heard, counters.fresh(), counters.age_seconds()) == ([], None, None)
        counters.want()
        async with asyncio.timeout(5):
            while counters.taken is None:  # noqa: ASYNC110 - what the control port does
                await asyncio.sleep(0.01)
        assert counters.taken.reading.running == 3
        reading.cancel()


async def test_an_engine_that_has_no_metrics_is_never_asked_for_them() -> None:
    async with engine(OK) as (address, heard):
        counters = EngineCounters("ollama", fetched_from(address, "/metrics"))
        reading = asyncio.create_task(counters.run())
        counters.want()
        await asyncio.sleep(0.3)
        assert (heard, counters.fresh()) == ([], None)
        reading.cancel()


async def test_a_page_that_does_not_come_leaves_the_last_reading_to_grow_old() -> None:
    now = 0.0
    pages: list[bytes | None] = [b"vllm:num_requests_running 3\n", None]

    async def fetch() -> bytes | None:
        return pages.pop(0) if pages else None

    counters = EngineCounters("vllm", fetch, lambda: now)
    counters.want()
    reading = asyncio.create_task(counters.run())
    await asyncio.sleep(0.05)
    assert counters.fresh() is not None
    now = 11.0
    assert counters.fresh() is None
    assert counters.age_seconds() == 11.0
    reading.cancel()
