"""Whatever replicas do, and whoever comes and goes, nothing is lost and nothing left behind."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.scaling.observation import Reading
from stoker.signals.polling.pace import Pace
from stoker.signals.polling.replica import Standing
from tests.unit.signals.answers import http, idle, load
from tests.unit.signals.network import Asking, Host, asking, target

NAMES = [f"host-{index}" for index in range(6)]
SAID = [
    load(),
    idle(),
    load()[:50],
    b"",
    None,
    http(b"{}", "503 Unavailable"),
    http(b"x", "200 OK", "connection: close\r\n"),
]
HOSTS = st.builds(
    lambda said, after, connect, refuses: Host(
        lambda number: said[number % len(said)], after_seconds=after, connect_seconds=connect, refuses=refuses
    ),
    st.lists(st.sampled_from(SAID), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.01, 0.9, 1.5, 4.0, 7.0]),
    st.sampled_from([0.0, 0.3, 1.2, None]),
    st.booleans(),
)
FLEETS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()), max_size=6)


def check_books(them: Asking) -> None:
    poller = them.poller
    replicas = poller._replicas.values()
    running = [asked for asked in replicas if asked.standing in (Standing.CONNECTING, Standing.ASKED)]
    assert poller._running == len(running) <= 3
    assert poller._running_failing == sum(asked.is_failing for asked in running) <= 2
    assert poller._kept == sum(asked.connection is not None for asked in replicas)


@settings(max_examples=60)
@given(
    st.lists(HOSTS, min_size=len(NAMES), max_size=len(NAMES)),
    st.lists(st.tuples(FLEETS, st.sampled_from([0.0, 0.04, 0.6, 3.0, 20.0])), min_size=1, max_size=6),
)
def test_any_fleet_is_asked_within_its_room_and_left_without_a_trace(
    hosts: list[Host], course: list[tuple[Any, float]]
) -> None:
    async def scenario(them: Asking) -> None:
        for fleet, seconds in course:
            them.follow(*{uid: target(uid, ip=address, busy=busy) for uid, address, busy in fleet}.values())
            check_books(them)
            await asyncio.sleep(seconds)
            check_books(them)
        them.network.hosts["fine"] = Host()
        them.follow(target("fine"))
        await asyncio.sleep(0.2)
        assert them.sighting("fine").reading is Reading.KNOWN
        them.follow()
        await asyncio.sleep(10)
        check_books(them)
        assert (them.poller._running, them.poller._kept) == (0, 0)

    asking(dict(zip(NAMES, hosts, strict=True)), scenario, Pace(most_asked=3, most_failing=2), targets=[])
