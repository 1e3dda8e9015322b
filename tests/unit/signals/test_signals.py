"""What the live loop asks, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stoker.core.scaling.observation import Reading
from stoker.signals.polling.pace import Pace
from stoker.signals.signals import Signals
from stoker.signals.target import Source, Target
from tests.beside import working
from tests.unit.signals.answers import http, load
from tests.unit.signals.patience import until
from tests.unit.signals.prometheus_stand_in import engine, source_of, stand_in
from tests.unit.signals.prometheus_stand_in import target as scraped

PAGE = b'vllm:num_requests_running{e="0"} 5\nvllm:num_requests_waiting{e="0"} 2\n'


class Replica(asyncio.Protocol):
    """Answers as agent and as engine, in two parts."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        said = load() if data.startswith(b"GET /load ") else http(PAGE)
        self._transport.write(said[:40])
        asyncio.get_running_loop().call_later(0.01, self._transport.write, said[40:])


@asynccontextmanager
async def replica() -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(Replica, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def seen(signals: Signals, *uids: str) -> None:
    await until(lambda: all(signals.reading(uid).load for uid in uids))


def at(uid: str, port: int, **fields: Any) -> Target:
    usual: dict[str, Any] = {"namespace": "ns", "pod": uid, "model": "ns/m", "ip": "127.0.0.1"}
    return Target(uid=uid, port=port, **usual | fields)


async def test_replicas_of_every_source_are_read() -> None:
    with stand_in(figures=engine()) as there:
        signals = Signals(prometheus=source_of(there, interval_seconds=0.1))
        async with replica() as agent_port, replica() as engine_port, working(signals.run()):
            signals.follow(
                [
                    at("agent", agent_port),
                    at("engine", engine_port, source=Source.ENGINE, path="/metrics", engine="vllm"),
                    scraped("a"),
                ]
            )
            await seen(signals, "agent", "engine", "a")
            in_flight = [
                found.in_flight for found in (signals.reading(uid).load for uid in ("agent", "engine", "a")) if found
            ]
    assert in_flight == [3, 7, 7]


async def test_a_replica_that_is_told_of_twice_is_read_once_and_one_that_is_gone_says_why() -> None:
    async with replica() as port:
        signals = Signals()
        async with working(signals.run()):
            for _ in range(2):
                signals.follow([at("well", port), at("gone", 1), at("gone", 1)])
            await seen(signals, "well")
            await until(lambda: signals.why("gone") == "It cannot be connected to: connection refused.")
            assert signals.why("well") == ""


async def test_what_is_not_followed_is_unknown() -> None:
    signals = Signals()
    assert signals.reading("nobody") == (Reading.UNKNOWN, None, None)
    assert signals.why("nobody") == "It is not followed."


async def test_without_a_prometheus_its_replicas_are_unknown_and_it_is_said() -> None:
    signals = Signals()
    signals.follow([scraped("a")])
    assert signals.reading("a").reading is Reading.UNKNOWN
    remedy = "set signals.prometheus.url in the operator's configuration, or scaling.source to Agent."
    assert signals.why("a") == signals.trouble() == f"No Prometheus is configured: {remedy}"


async def test_a_load_that_is_too_old_says_how_old_it_is() -> None:
    now = 0.0
    async with replica() as port:
        signals = Signals(Pace(expire_seconds=30.0), now=lambda: now)
        async with working(signals.run()):
            signals.follow([at("a", port)])
            await seen(signals, "a")
        now = 45.0
        assert signals.reading("a").reading is Reading.EXPIRED
        assert signals.why("a") == "Its last load is 45 s old."


async def test_an_answer_that_lacks_something_is_told() -> None:
    with stand_in(figures=engine(), warnings=["a store did not answer"]) as there:
        signals = Signals(prometheus=source_of(there, interval_seconds=0.1))
        async with working(signals.run()):
            signals.follow([scraped("a")])
            await seen(signals, "a")
            assert signals.trouble() == "Prometheus' answer is partial: a store did not answer"
