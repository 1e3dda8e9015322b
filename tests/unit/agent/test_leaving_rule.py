"""The order of leaving, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable

from stoker_runtime.agent.gate import Gate, GateState
from stoker_runtime.agent.supervision.leaving import QUIET_SECONDS, Leaving
from stoker_runtime.agent.tally import Outcome, Tally
from tests.virtual_time import run_in_virtual_time


def leave(test: Callable[[Leaving, Gate, Tally], Awaitable[None]]) -> None:
    async def main() -> None:
        gate, tally = Gate(), Tally()
        await test(Leaving(gate, tally, 5.0, asyncio.get_running_loop().time), gate, tally)

    run_in_virtual_time(main())


def now() -> float:
    return asyncio.get_running_loop().time()


async def refusing(gate: Gate) -> float:
    while gate.state is not GateState.REFUSING:  # noqa: ASYNC110 - in virtual time
        await asyncio.sleep(0.01)
    return now()


def test_it_refuses_once_it_has_settled() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin()
        assert gate.state is GateState.LEAVING
        assert 5.0 <= await refusing(gate) < 5.1
        assert leaving.is_drained

    leave(test)


def test_while_requests_come_it_does_not_refuse_yet() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin()
        for tenth in range(80):
            gate.arrived(tenth / 10)
            await asyncio.sleep(0.1)
        assert gate.state is GateState.LEAVING
        assert 8.9 <= await refusing(gate) < 9.1

    leave(test)


def test_clients_that_never_go_away_are_refused_in_the_end() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        async def arrive() -> None:
            while True:
                gate.arrived(now())
                await asyncio.sleep(0.1)

        arriving = asyncio.create_task(arrive())
        leaving.begin()
        assert 5.0 + QUIET_SECONDS <= await refusing(gate) <= 5.0 + QUIET_SECONDS + 1.1
        arriving.cancel()

    leave(test)


def test_it_is_drained_when_the_last_request_has_ended() -> None:
    async def test(leaving: Leaving, _: Gate, tally: Tally) -> None:
        tally.begin()
        asyncio.get_running_loop().call_later(60, lambda: tally.end(Outcome.FINISHED, answered=False))
        leaving.begin()
        assert await leaving.drained(300)
        assert 60 <= now() < 61

    leave(test)


def test_at_the_deadline_it_says_that_something_still_runs() -> None:
    async def test(leaving: Leaving, gate: Gate, tally: Tally) -> None:
        tally.begin()
        leaving.begin()
        assert not await leaving.drained(30)
        assert (now(), gate.state) == (30, GateState.REFUSING)

    leave(test)


def test_a_deadline_before_it_has_settled_refuses_at_once() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin()
        assert await leaving.drained(2)
        assert (now(), gate.state) == (2, GateState.REFUSING)

    leave(test)


def test_told_twice_it_settles_once() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin()
        await asyncio.sleep(4)
        leaving.begin()
        assert await refusing(gate) < 5.1

    leave(test)


def test_undone_it_stays_open() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin()
        await asyncio.sleep(2)
        leaving.undo()
        await asyncio.sleep(100)
        assert gate.state is GateState.OPEN
        leaving.begin()
        began = now()
        assert await refusing(gate) >= began + 5

    leave(test)


def test_a_replica_that_was_never_ready_has_nothing_to_settle() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin(was_served=False)
        assert await refusing(gate) < 0.1

    leave(test)


def test_who_comes_by_a_node_that_routes_late_is_served_and_who_comes_much_later_is_not() -> None:
    async def test(leaving: Leaving, gate: Gate, _: Tally) -> None:
        leaving.begin()
        settled = await refusing(gate)
        assert not gate.refuses(opened_seconds=settled + 19)
        assert gate.refuses(opened_seconds=settled + 21)

    leave(test)
