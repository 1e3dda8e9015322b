"""What requests leave behind. The agent collects seldom, since nothing is answered meanwhile."""

import gc
from collections.abc import Awaitable, Callable

import pytest

from tests.unit.agent_pipe.memory import Bench, Wire, settled
from tests.unit.agent_pipe.raw_engine import answer, post

REQUESTS = 100


async def _asked(bench: Bench, client: Wire) -> None:
    client.arrives(post(b"{}"))
    await settled()
    bench.engines[-1].taken()
    bench.engines[-1].arrives(answer(b"{}"))
    await settled()
    assert client.taken().startswith(b"HTTP/1.1 200")


async def one_after_the_other(bench: Bench) -> None:
    client = bench.client()
    for _ in range(REQUESTS):
        await _asked(bench, client)


async def each_with_a_connection_of_its_own(bench: Bench) -> None:
    for _ in range(REQUESTS):
        client = bench.client()
        await _asked(bench, client)
        client.is_lost()
        await settled()


async def left_in_the_middle(bench: Bench) -> None:
    for _ in range(REQUESTS):
        client = bench.client()
        client.arrives(post(b"{}"))
        await settled()
        client.is_lost()
        await settled()


@pytest.mark.parametrize("requests", [one_after_the_other, each_with_a_connection_of_its_own, left_in_the_middle])
async def test_requests_leave_nothing_that_has_to_be_collected(requests: Callable[[Bench], Awaitable[None]]) -> None:
    bench = Bench()
    await requests(bench)
    gc.collect()
    gc.disable()
    try:
        await requests(bench)
        found = gc.collect()
    finally:
        gc.enable()
    assert found < REQUESTS
