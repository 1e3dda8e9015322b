"""However bytes are cut, mixed or damaged: every answer goes to the one who asked, and nothing breaks."""

import asyncio
import re
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker_runtime.agent.framing.bodies import chunk
from stoker_runtime.agent.tally import Outcome
from tests.unit.agent_pipe.memory import Bench, Wire, settled
from tests.unit.agent_pipe.test_bodies import cut

BODIES = st.binary(max_size=40)
PLACES = st.lists(st.integers(0, 5000), max_size=12)


@dataclass(frozen=True)
class Asked:
    """A request whose answer tells which one it was."""

    body: bytes
    chunked: bool
    answer_chunked: bool

    def sent(self, name: bytes) -> bytes:
        head = b"POST /v1/%b/%d HTTP/1.1\r\nHost: a\r\n" % (name, self.answer_chunked)
        if not self.chunked:
            return head + b"Content-Length: %d\r\n\r\n" % len(self.body) + self.body
        chunks = [chunk(self.body[at : at + 7]) for at in range(0, len(self.body), 7)]
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + b"0\r\nX-T: 1\r\n\r\n"


ASKED = st.builds(Asked, BODIES, st.booleans(), st.booleans())


def echo(name: bytes, body: bytes, chunked: bool) -> bytes:
    text = name + b"=" + body.hex().encode()
    if chunked:
        parts = b"".join(chunk(text[at : at + 5]) for at in range(0, len(text), 5))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text


class Echoing:
    """Reads what reaches the engine, and fails where it is not exactly a request."""

    def __init__(self, bench: Bench, places: list[int]) -> None:
        self._bench = bench
        self._places = places
        self._buffers: dict[int, bytes] = {}

    async def answer_all(self) -> None:
        await settled()
        going = True
        while going:
            going = False
            for number, wire in enumerate(list(self._bench.engines)):
                going |= self._answer_one(number, wire)
            await settled()

    def _answer_one(self, number: int, wire: Wire) -> bool:
        self._buffers[number] = data = self._buffers.get(number, b"") + wire.taken()
        if not data or wire.is_closing():
            return False
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            return False
        match = re.match(rb"POST /v1/([a-z]+)/([01]) HTTP/1\.1\r\n", head)
        assert match, head
        body = _body(head, rest)
        if body is None:
            return False
        self._buffers[number] = b""
        for piece in cut(echo(match[1], body, match[2] == b"1"), self._places):
            wire.arrives(piece)
        return True


def _body(head: bytes, rest: bytes) -> bytes | None:
    if length := re.search(rb"\r\nContent-Length: (\d+)", head):
        assert len(rest) <= int(length[1]), "more than the request"
        return rest if len(rest) == int(length[1]) else None
    assert b"Transfer-Encoding: chunked" in head
    if not rest.endswith(b"0\r\nX-T: 1\r\n\r\n"):
        return None
    body, rest = b"", rest.removesuffix(b"0\r\nX-T: 1\r\n\r\n")
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return body


@settings(max_examples=150)
@given(st.lists(ASKED, min_size=1, max_size=5), PLACES, PLACES)
def test_each_request_gets_its_own_answer_byte_for_byte(asked: list[Asked], places: list[int], back: list[int]) -> None:
    async def run() -> None:
        bench = Bench()
        client = bench.client()
        engine = Echoing(bench, back)
        names = [b"abcde"[at : at + 1] for at in range(len(asked))]
        for piece in cut(b"".join(one.sent(name) for one, name in zip(asked, names, strict=True)), places):
            if piece:
                client.arrives(piece)
            await engine.answer_all()
        expected = [echo(name, one.body, one.answer_chunked) for one, name in zip(asked, names, strict=True)]
        assert client.taken() == b"".join(expected)
        assert bench.tally.ended[Outcome.FINISHED] == len(asked)
        assert bench.tally.in_flight == bench.tally.waiting == 0

    asyncio.run(run())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(ASKED).sent(b"x") + draw(ASKED).sent(b"y"))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        kind = draw(st.sampled_from(["change", "insert", "remove", "double"]))
        byte = draw(st.sampled_from(b"\r\n\0 :;,\t0aA/\x7f\xff%#") | st.integers(0, 255))
        if kind == "change":
            data[place] = byte
        elif kind == "insert":
            data.insert(place, byte)
        elif kind == "remove":
            del data[place : place + draw(st.integers(1, 5))]
        else:
            data[place:place] = data[place : place + draw(st.integers(1, 40))]
        data = data or bytearray(b"x")
    return bytes(data)


class Answering:
    """Answers every head that reaches the engine with the number of its connection, whatever it is."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def answer_all(self, text: bytes) -> None:
        await settled()
        for wire in list(self._bench.engines):
            if b"\r\n\r\n" in wire.taken():
                wire.arrives(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        await settled()


@settings(max_examples=300)
@given(damaged(), PLACES, st.booleans())
def test_damaged_requests_break_nothing_and_mix_nothing(data: bytes, places: list[int], leaves: bool) -> None:
    async def run() -> None:
        bench = Bench()
        engine = Answering(bench)
        wrong, right = bench.client(), bench.client()
        for piece in cut(data, places):
            if piece:
                wrong.arrives(piece)
            await engine.answer_all(b"wrong")
        answered = wrong.taken()
        assert answered == b"" or answered.startswith(b"HTTP/1.1 ")
        assert b"right" not in answered
        if leaves:
            wrong.is_lost()
        right.arrives(Asked(b"abc", False, False).sent(b"r"))
        await settled()
        carrying = [wire for wire in bench.engines if b"/v1/r/0" in wire.sent]
        assert len(carrying) == 1
        carrying[0].arrives(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright")
        assert right.taken() == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"
        assert b"right" not in wrong.taken()
        right.is_lost()
        if not wrong.is_closing():
            wrong.is_lost()
        assert bench.tally.in_flight == bench.tally.waiting == 0

    asyncio.run(run())


@settings(max_examples=200)
@given(st.binary(max_size=60), st.binary(max_size=60), PLACES, st.integers(0, 120))
def test_damaged_answers_break_nothing_and_are_never_the_next_ones(
    before: bytes, inserted: bytes, places: list[int], at: int
) -> None:
    async def run() -> None:
        bench = Bench()
        client, other = bench.client(), bench.client()
        client.arrives(Asked(before, False, False).sent(b"a"))
        await settled()
        whole = echo(b"a", before, True)
        at_most = at % (len(whole) + 1)
        for piece in cut(whole[:at_most] + inserted + whole[at_most:], places):
            if piece:
                bench.engines[0].arrives(piece)
        await settled()
        other.arrives(Asked(b"", False, False).sent(b"b"))
        await settled()
        carrying = [wire for wire in bench.engines if b"/v1/b/0" in wire.sent]
        assert len(carrying) == 1
        assert not other.sent
        carrying[0].arrives(echo(b"b", b"", False))
        assert other.taken() == echo(b"b", b"", False)
        client.is_lost()
        assert bench.tally.in_flight == bench.tally.waiting == 0

    asyncio.run(run())
