"""Asking replicas, each at its own pace, whatever they answer."""

import asyncio
from dataclasses import replace

import pytest

from stoker.core.scaling.observation import Reading
from stoker.signals.polling.pace import Pace
from stoker.signals.target import Source
from tests.unit.signals.answers import body, http, idle, load
from tests.unit.signals.network import Asking, Host, asking, target


def test_a_new_replica_is_asked_at_once() -> None:
    async def scenario(them: Asking) -> None:
        await asyncio.sleep(0.1)
        assert them.sighting("a").reading is Reading.KNOWN
        assert them.load("a").in_flight == 3
        them.network.hosts["b"] = Host()
        them.follow(target("a"), target("b"))
        await asyncio.sleep(0.1)
        assert them.sighting("b").reading is Reading.KNOWN

    asking({"a": Host()}, scenario)


def test_a_busy_replica_is_asked_every_two_seconds_on_one_connection() -> None:
    host = Host()

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(100)
        gaps = [after - before for before, after in zip(host.asked_at[1:], host.asked_at[2:], strict=False)]
        assert max(gaps) < 2.2
        assert 48 <= len(host.asked_at) <= 53
        assert host.opened == 1
        age_seconds = them.sighting("a").age_seconds
        assert age_seconds is not None
        assert age_seconds < 2.2

    asking({"a": host}, scenario)


def test_an_idle_replica_is_asked_every_ten_seconds_and_its_connection_is_closed_in_the_end() -> None:
    host = Host(lambda _: idle())

    async def scenario(_: Asking) -> None:
        await asyncio.sleep(200)
        assert host.open == 0
        gaps = [after - before for before, after in zip(host.asked_at, host.asked_at[1:], strict=False)]
        assert max(gaps[-5:]) < 10.2
        assert min(gaps[-5:]) > 9.8

    asking({"a": host}, scenario)


def test_requests_that_came_and_went_between_two_looks_make_a_replica_busy() -> None:
    host = Host(lambda number: idle(arrivals=100 + number))

    async def scenario(_: Asking) -> None:
        await asyncio.sleep(100)
        assert len(host.asked_at) > 45

    asking({"a": host}, scenario)


def test_an_idle_replica_whose_model_got_busy_is_asked_at_once_and_often() -> None:
    host = Host(lambda _: idle())

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(103)
        asked = len(host.asked_at)
        them.follow(target("a", busy=True))
        await asyncio.sleep(0.1)
        assert len(host.asked_at) == asked + 1
        await asyncio.sleep(20)
        assert len(host.asked_at) >= asked + 10

    asking({"a": host}, scenario)


def test_who_does_not_listen_is_unknown_and_its_last_load_is_kept() -> None:
    host = Host()

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(5)
        host.refuses = True
        for wire in host.wires:
            wire.abort()
        await asyncio.sleep(3)
        seen = them.sighting("a")
        assert (seen.reading, seen.load is not None) == (Reading.UNKNOWN, True)
        assert them.why("a") == "It cannot be connected to: connection refused."
        await asyncio.sleep(35)
        assert them.sighting("a").reading is Reading.EXPIRED

    asking({"a": host}, scenario)


def test_who_cannot_be_reached_is_unknown_and_never_saturated() -> None:
    async def scenario(them: Asking) -> None:
        await asyncio.sleep(5)
        assert them.sighting("a").reading is Reading.UNKNOWN
        assert "within 1 s" in them.why("a")

    asking({"a": Host(connect_seconds=None)}, scenario)


def test_who_is_connected_and_says_nothing_is_saturated_and_then_expired() -> None:
    host = Host(lambda number: load() if number < 4 else None)

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(8)
        assert them.sighting("a").reading is Reading.SATURATED
        assert them.load("a").in_flight == 3
        await asyncio.sleep(60)
        assert them.sighting("a").reading is Reading.EXPIRED

    asking({"a": host}, scenario)


def test_an_answer_that_comes_late_is_still_read_on_the_same_connection() -> None:
    host = Host(lambda number: load(arrivals=100 + number), after_seconds=2.5)

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(2)
        assert them.sighting("a").load is None
        await asyncio.sleep(28)
        assert them.sighting("a").reading is Reading.SATURATED
        assert them.load("a").arrivals > 104
        assert host.opened == 1
        host.after_seconds = 0.01
        await asyncio.sleep(6)
        assert them.sighting("a").reading is Reading.KNOWN

    asking({"a": host}, scenario)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
def test_who_says_that_it_is_too_busy_is_saturated_if_it_ever_answered(status: str) -> None:
    hosts = {
        "was well": Host(lambda number: load() if number == 1 else http(b"{}", status)),
        "never was": Host(lambda _: http(b"{}", status)),
    }

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(5)
        assert them.sighting("was well").reading is Reading.SATURATED
        assert them.sighting("never was").reading is Reading.UNKNOWN

    asking(hosts, scenario)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (http(b"not found", "404 Not Found"), "answered 404"),
        (http(b"", "307 Temporary Redirect", "location: http://elsewhere/\r\n"), "answered 307"),
        (http(body()[:-20]), "not whole JSON"),
        (load(v=2), "version v is 2"),
        (http(b'{"v":1,"in_flight":NaN}'), "NaN"),
        (load(in_flight=-1), "in_flight is -1"),
        (load(pod="b"), "another pod answers at its address"),
        (http(b" " * (16 << 10) + body()), "more than 16384 bytes"),
        (b"\x15\x03\x01\x00\x02\x02\x28\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99", "ended the connection"),
        (b"", "ended the connection"),
    ],
)
def test_an_answer_that_is_no_load_makes_it_unknown_and_says_why(said: bytes, complaint: str) -> None:
    host = Host(lambda _: said)

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(0.5)
        for wire in list(host.wires):
            wire.abort()
        await asyncio.sleep(0.1)
        assert them.sighting("a").reading is Reading.UNKNOWN
        assert complaint in them.why("a")

    asking({"a": host}, scenario)


def test_an_answer_in_parts_is_read_when_it_is_whole() -> None:
    host = Host(lambda _: load()[:60])

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(0.3)
        assert them.sighting("a").reading is Reading.UNKNOWN
        host.wires[0].say(load()[60:])
        assert them.sighting("a").reading is Reading.KNOWN

    asking({"a": host}, scenario)


def test_a_connection_that_was_closed_in_the_meantime_costs_one_more_and_no_failure() -> None:
    host = Host(lambda number: b"" if number in (3, 6) else load())

    async def scenario(them: Asking) -> None:
        for _ in range(200):
            await asyncio.sleep(0.1)
            assert them.sighting("a").reading is Reading.KNOWN
        assert host.opened == 3

    asking({"a": host}, scenario)


def test_a_replica_that_always_hangs_up_is_not_asked_in_a_ring() -> None:
    host = Host(lambda _: b"")

    async def scenario(_: Asking) -> None:
        await asyncio.sleep(60)
        assert len(host.asked_at) < 12

    asking({"a": host}, scenario)


def test_who_speaks_unasked_is_hung_up_on() -> None:
    host = Host()

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(0.5)
        host.wires[-1].say(load(in_flight=99))
        assert them.load("a").in_flight == 3
        await asyncio.sleep(3)
        assert (host.opened, them.sighting("a").reading) == (2, Reading.KNOWN)

    asking({"a": host}, scenario)


def test_who_is_not_followed_any_more_is_forgotten_and_hung_up_on() -> None:
    host = Host(after_seconds=0.5)

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(0.1)
        them.follow()
        await asyncio.sleep(10)
        assert them.poller.record("a") is None
        assert (host.open, len(host.asked_at)) == (0, 1)

    asking({"a": host}, scenario)


def test_an_address_is_that_of_the_newest_pod() -> None:
    async def scenario(them: Asking) -> None:
        await asyncio.sleep(1)
        them.follow(target("old", ip="a"), target("new", ip="a"))
        await asyncio.sleep(1)
        assert them.sighting("new").reading is Reading.KNOWN
        assert them.sighting("old").reading is Reading.UNKNOWN
        assert them.why("old") == "Its address a:8010 is that of pod ns/new now."
        them.follow(target("new", ip="a"))
        await asyncio.sleep(3)
        assert them.sighting("new").reading is Reading.KNOWN

    asking({"a": Host()}, scenario, targets=[target("old", ip="a")])


def test_an_address_that_several_pods_came_with_is_nobodys_until_one_is_gone() -> None:
    host = Host()

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(3)
        assert not host.asked_at
        assert "several pods" in them.why("one")
        them.follow(target("two", ip="a"))
        await asyncio.sleep(0.1)
        assert them.sighting("two").reading is Reading.KNOWN

    asking({"a": host}, scenario, targets=[target("one", ip="a"), target("two", ip="a")])


def test_a_pod_without_an_address_is_asked_once_it_has_one() -> None:
    async def scenario(them: Asking) -> None:
        await asyncio.sleep(1)
        assert them.why("pod") == "It has no address yet."
        them.follow(target("pod", ip="a"))
        await asyncio.sleep(0.1)
        assert them.sighting("pod").reading is Reading.KNOWN

    asking({"a": Host()}, scenario, targets=[target("pod", ip="")])


def test_many_that_hang_do_not_delay_those_that_answer() -> None:
    """Six hundred of a thousand are on a node that is gone."""
    hosts = {f"good-{index}": Host(after_seconds=0.02) for index in range(400)}
    hosts |= {f"gone-{index}": Host(connect_seconds=None) for index in range(600)}

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(60)
        for _ in range(100):
            await asyncio.sleep(0.1)
            ages = [them.sighting(f"good-{index}").age_seconds for index in range(400)]
            assert all(age is not None and age < 2.3 for age in ages)

    asking(hosts, scenario, Pace(most_asked=48, most_failing=24))


def test_no_more_are_asked_at_once_than_there_is_room_for() -> None:
    hosts = {f"host-{index}": Host(connect_seconds=0.1) for index in range(300)}

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(10)
        assert them.network.most_dialing == 32
        assert all(them.sighting(name).reading is Reading.KNOWN for name in hosts)

    asking(hosts, scenario, Pace(most_asked=32, most_failing=16))


def test_no_more_connections_are_kept_than_allowed() -> None:
    hosts = {f"host-{index}": Host() for index in range(50)}

    async def scenario(_: Asking) -> None:
        await asyncio.sleep(10.03)
        assert sum(host.open for host in hosts.values()) <= 21

    asking(hosts, scenario, Pace(most_kept=20))


def test_replicas_are_not_late_because_this_process_was() -> None:
    """The clock jumps, as after a loop that stood still for three seconds with a question under way."""
    host = Host()

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(10)
        asked = asyncio.Event()
        host.says = lambda _: asked.set()
        await asked.wait()
        asyncio.get_running_loop()._now += 3.0  # type: ignore[attr-defined]
        await asyncio.sleep(0.2)
        assert them.sighting("a").reading is Reading.KNOWN
        host.wires[0].say(load(in_flight=9))
        assert them.sighting("a").reading is Reading.KNOWN
        assert them.load("a").in_flight == 9

    asking({"a": host}, scenario)


def test_an_engines_page_may_be_larger_and_is_read_from_its_own_port() -> None:
    page = b"# padding\n" * 20_000 + b'vllm:num_requests_running{e="0"} 5\nvllm:num_requests_waiting{e="0"} 2\n'
    it = target("a", source=Source.ENGINE, port=8000, path="/metrics", engine="vllm")

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(1)
        assert them.load("a").in_flight == 7

    asking({"a": Host(lambda _: http(page))}, scenario, targets=[it])


def test_a_page_beyond_a_mebibyte_is_refused() -> None:
    it = target("a", source=Source.ENGINE, port=8000, path="/metrics", engine="vllm")

    async def scenario(them: Asking) -> None:
        await asyncio.sleep(1)
        assert "more than 1048576 bytes" in them.why("a")

    asking({"a": Host(lambda _: http(b"#" * (1 << 20) + b"\n"))}, scenario, targets=[it])


def test_a_replica_that_is_followed_elsewhere_now_is_asked_there() -> None:
    async def scenario(them: Asking) -> None:
        await asyncio.sleep(1)
        them.follow(replace(target("a"), ip="b"))
        await asyncio.sleep(0.5)
        assert them.load("a").in_flight == 8

    asking({"a": Host(), "b": Host(lambda _: load(in_flight=8))}, scenario, targets=[target("a")])
