"""What could be read in two ways ends the connection, and nothing of it reaches the engine."""

import json

import pytest

from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.tally import Outcome
from tests.unit.agent_pipe.raw_engine import always, answer, piped

HOST = b"Host: a\r\n"
SECOND = b"GET /stolen HTTP/1.1\r\nHost: a\r\n\r\n"


def request(*lines: bytes) -> bytes:
    return b"POST /v1/x HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (400, request(b"Content-Length: 3", b"Transfer-Encoding: chunked") + b"0\r\n\r\n"),
        (400, request(b"Content-Length: 0", b"Content-Length: 30")),
        (400, request(b"Content-Length : 30")),
        (400, request(b"Transfer-Encoding : chunked")),
        (400, request(b"Transfer-Encoding: chunked, identity")),
        (400, request(b"X: a", b" Content-Length: 30")),
        (400, request(b"X: a\nContent-Length: 30")),
        (400, request(b"X: a\x00b")),
        (400, b"POST /v1/x HTTP/1.1\nHost: a\nContent-Length: 0\n\n"),
        (400, b"GET / HTTP/1.1\nHost: a\n\n"),
        (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
        (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        (431, request(*[b"X-%d: a" % number for number in range(200)])),
        (431, request(b"X: " + b"a" * 40_000)),
    ],
)
async def test_a_request_that_may_be_two_is_none(status: int, data: bytes) -> None:
    async with piped(always(answer())) as at:
        answered = await at.talk(data + SECOND)
        head, _, body = answered.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert b"Connection: close" in head
        assert json.loads(body)["error"]["code"] == status
        assert (at.engine.received, at.engine.connections, at.tally.arrivals) == ([], 0, 0)


@pytest.mark.parametrize(
    "chunks", [b"x\r\n", b"3\r\nabcd\r\n0\r\n\r\n", b"1\n\r\n", b"ffffffffffffffffff\r\n", b"0\r\nA\r\n\r\n"]
)
async def test_a_body_that_breaks_its_framing_is_cut_off_from_the_engine(chunks: bytes) -> None:
    async with piped(always(answer())) as at:
        head = request(b"Transfer-Encoding: chunked")
        answered = await at.talk(head + b"2\r\nab\r\n", chunks + SECOND)
        assert answered.startswith(b"HTTP/1.1 400 ")
        assert answered.count(b"HTTP/1.1") == 1
        assert at.engine.received == []
        assert (at.tally.in_flight, at.tally.ended[Outcome.REJECTED]) == (0, 1)


async def test_a_head_in_single_bytes_is_a_head() -> None:
    async with piped(always(answer(b"abc"))) as at:
        data = b"\r\n\r\n" + request(b"Connection: close")
        assert (await at.talk(*(data[at : at + 1] for at in range(len(data))))).endswith(b"abc")


async def test_a_head_without_an_end_is_refused_once_it_is_too_large() -> None:
    async with piped(always(answer()), Limits(head_bytes=1000)) as at:
        assert (await at.talk(b"GET / HTTP/1.1\r\nX: ", *[b"a" * 100] * 11)).startswith(b"HTTP/1.1 431 ")
