"""The control port as kubelets, operators and strangers use it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker_runtime.agent.control.requests import MOST_HEAD_BYTES, KnownRequests, UnreadableError, parsed
from stoker_runtime.agent.control.routes import Routes, Tokens
from stoker_runtime.agent.control.server import ControlServer, bound
from stoker_runtime.agent.control.tokens import bearer, is_token
from stoker_runtime.agent.engine.sleeping import Told
from tests.unit.agent.agents import PRESTOP, TOKEN, sha256


@dataclass
class Asked:
    """What a control port is in front of, as far as it can see."""

    said: list[str] = field(default_factory=list)
    drained: asyncio.Event = field(default_factory=asyncio.Event)

    def livez(self) -> str | None:
        return None

    def readyz(self) -> str | None:
        return "loading\n"

    def load(self) -> bytes:
        return b'{"v":1}'

    def metrics(self) -> bytes:
        return b"# nothing\n"

    async def drain(self) -> Told:
        self.said.append("drain")
        return Told(202, "leaving")

    async def open(self) -> Told:
        self.said.append("open")
        return Told(200, "open")

    async def sleep(self, level: str) -> Told:
        self.said.append(f"sleep {level}")
        return Told(202, "falling asleep")

    async def wake(self) -> Told:
        return Told(200, "awake")

    async def prestop(self) -> Told:
        await self.drained.wait()
        return Told(200, "drained")


BEARER = f"Authorization: Bearer {TOKEN}\r\n"
TOKENS = Tokens(sha256(TOKEN), sha256(PRESTOP))


@asynccontextmanager
async def control(tokens: Tokens = TOKENS) -> AsyncIterator[tuple[Asked, int]]:
    asked = Asked()
    listening = bound(0)
    port: int = listening.getsockname()[1]
    server = ControlServer(listening, Routes(asked, asked, asyncio.get_running_loop(), tokens).answer)
    server.start()
    try:
        yield asked, port
    finally:
        await asyncio.to_thread(server.stop)


async def talk(port: int, *pieces: str, until: str = "") -> str:
    """What comes back, to the end of the connection or to the first `until`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece.encode("latin-1"))
        await writer.drain()
        await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        answer = await (reader.readuntil(until.encode()) if until else reader.read())
    writer.close()
    return answer.decode()


def request(line: str, headers: str = "", body: str = "") -> str:
    return f"{line} HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n{body}"


async def test_probes_need_no_token() -> None:
    async with control() as (_, port):
        assert (await talk(port, request("GET /livez"))).startswith("HTTP/1.1 200 OK\r\n")
        assert (await talk(port, request("GET /readyz"))).endswith("\r\n\r\nloading\n")
        assert (await talk(port, request("GET /load?x=1"))).endswith('{"v":1}')
        assert "text/plain; version=0.0.4" in await talk(port, request("GET /metrics"))


async def test_a_connection_is_used_again_and_requests_that_come_together_are_answered_in_order() -> None:
    async with control() as (_, port):
        first, last = "GET /load HTTP/1.1\r\n\r\n", request("GET /readyz")
        answer = await talk(port, first + f"POST /open HTTP/1.1\r\n{BEARER}Content-Length: 0\r\n\r\n" + last)
        assert re.findall(r"HTTP/1.1 (\d+)", answer) == ["200", "200", "503"]


async def test_a_request_may_come_in_any_pieces() -> None:
    async with control() as (asked, port):
        whole = request("POST /drain", f"{BEARER}Content-Length: 4\r\n", "body")
        answer = await talk(port, whole[:5], whole[5:40], whole[40:-2], whole[-2:])
        assert answer.startswith("HTTP/1.1 202 Accepted\r\n")
        assert asked.said == ["drain"]


async def test_a_verb_has_its_argument_in_the_query() -> None:
    async with control() as (asked, port):
        await talk(port, request("POST /sleep?level=2&mode=wait", BEARER))
        await talk(port, request("POST /sleep", BEARER))
        assert asked.said == ["sleep 2", "sleep 1"]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("POST /drain"), 401),
        (request("POST /drain", "Authorization: Bearer wrong\r\n"), 401),
        (request("POST /drain", f"Authorization: Basic {TOKEN}\r\n"), 401),
        (request("POST /drain", f"X-Stoker-Prestop: {PRESTOP}\r\n"), 401),
        (request("POST /drain", BEARER + BEARER), 400),
        (request("GET /prestop", BEARER), 401),
        (request("GET /prestop", f"X-Stoker-Prestop: {TOKEN}\r\n"), 401),
        (request("GET /drain", BEARER), 405),
        (request("POST /load", BEARER), 405),
        (request("HEAD /livez"), 405),
        (request("GET /"), 404),
        (request("GET /load/"), 404),
        (request("POST /collective_rpc", BEARER), 404),
        ("nonsense\r\n\r\n", 400),
        ("GET /load HTTP/2.0\r\n\r\n", 400),
        ("GET http://x/load HTTP/1.1\r\n\r\n", 400),
        (request("GET /load", "Bad Name: x\r\n"), 400),
        (request("GET /load", "A: b\r\n folded\r\n"), 400),
        (request("POST /open", BEARER + "Content-Length: -1\r\n"), 400),
        (request("POST /open", BEARER + "Content-Length: 1\r\nContent-Length: 2\r\n"), 400),
        (request("POST /open", BEARER + "Content-Length: 99999999\r\n"), 413),
        (request("POST /open", BEARER + "Transfer-Encoding: chunked\r\n"), 411),
        ("GET /load HTTP/1.1\r\nA: " + "a" * MOST_HEAD_BYTES, 431),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_done(sent: str, status: int) -> None:
    async with control() as (asked, port):
        assert (await talk(port, sent)).startswith(f"HTTP/1.1 {status} ")
        assert asked.said == []


async def test_without_a_digest_a_verb_is_nobody_s() -> None:
    async with control(Tokens(None, None)) as (_, port):
        assert (await talk(port, request("POST /drain", BEARER))).startswith("HTTP/1.1 403 ")
        assert (await talk(port, request("POST /drain", "Authorization: Bearer \r\n"))).startswith("HTTP/1.1 403 ")


async def test_a_hook_that_waits_keeps_nobody_else_waiting() -> None:
    async with control() as (asked, port):
        hook = asyncio.create_task(talk(port, request("GET /prestop", f"X-Stoker-Prestop: {PRESTOP}\r\n")))
        await asyncio.sleep(0.05)
        assert (await talk(port, request("GET /livez"))).startswith("HTTP/1.1 200")
        assert not hook.done()
        asked.drained.set()
        assert (await hook).endswith('{"message": "drained"}')


async def test_a_hook_whose_caller_went_away_disturbs_nobody() -> None:
    async with control() as (asked, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request("GET /prestop", f"X-Stoker-Prestop: {PRESTOP}\r\n").encode())
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        asked.drained.set()
        assert (await talk(port, request("GET /livez"))).startswith("HTTP/1.1 200")


async def test_more_connections_than_there_is_room_for_push_out_the_idle_ones() -> None:
    async with control() as (_, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(600)]
        assert (await talk(port, request("GET /livez"))).startswith("HTTP/1.1 200")
        for _, writer in idle:
            writer.transport.abort()


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_no_head_is_more_than_unreadable(head: bytes) -> None:
    with suppress(UnreadableError):
        parsed(b"GET /load HTTP/1.1\r\n" + head)


@given(st.text(max_size=80))
def test_only_the_token_is_the_token(given_token: str) -> None:
    assert is_token(given_token, sha256(TOKEN)) == (given_token == TOKEN)
    assert not is_token(given_token, None)
    assert not is_token(None, sha256(given_token))


def test_a_bearer_token_is_read_as_it_is_written() -> None:
    assert (bearer("Bearer a b"), bearer("bearer  x "), bearer("Basic x"), bearer(None)) == ("a b", "x", None, None)


def test_what_is_asked_again_and_again_is_read_once_and_no_secret_is_kept() -> None:
    known = KnownRequests()
    plain = b"GET /load HTTP/1.1\r\nHost: replica"
    request = parsed(plain)
    known.keep(plain, request)
    assert known.get(plain) is request
    for secret in (b"Authorization: Bearer a", b"AUTHORIZATION:Bearer a", b"x-stoker-prestop: a", b"Cookie: a"):
        head = b"GET /metrics HTTP/1.1\r\nHost: replica\r\n" + secret
        known.keep(head, parsed(head))
        assert known.get(head) is None


def test_those_who_never_ask_the_same_twice_fill_no_memory() -> None:
    known = KnownRequests()
    heads = [b"GET /load?%d HTTP/1.1" % number for number in range(1000)]
    for head in heads:
        known.keep(head, parsed(head))
    assert sum(known.get(head) is not None for head in heads) <= 64
