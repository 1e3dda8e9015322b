"""Orders as the real agent takes them, in front of a simulated engine."""

import asyncio
import os
import socket
from pathlib import Path

from e2e.cluster.free_ports import free_ports
from stoker.agents.asking import Order, Place, ask
from stoker.core.pool.report import Gate, Heard, Verb
from tests.unit.agent.agents import TOKEN, Agent

POD = os.environ.get("HOSTNAME", "")


def place(agent: Agent, pod: str = POD) -> Place:
    return Place(pod, "127.0.0.1", agent.control_port)


async def told(agent: Agent, verb: Verb, number: int) -> tuple[Heard, Gate | None]:
    said, seen = await ask(place(agent), Order(verb, number), TOKEN)
    return said.heard, seen.gate


async def until_done(agent: Agent, verb: Verb, number: int) -> None:
    async with asyncio.timeout(10):
        while (await told(agent, verb, number))[0] is not Heard.DONE:  # noqa: ASYNC110 - as looks do
            await asyncio.sleep(0.05)


async def test_a_replica_is_drained_put_to_sleep_woken_and_opened(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--sleep-seconds", "0.1", "--wake-seconds", "0.1") as agent:
        await agent.ready()
        for number, verb in enumerate((Verb.DRAIN, Verb.SLEEP, Verb.WAKE, Verb.OPEN)):
            await until_done(agent, verb, number)
        assert (await agent.complete())[0] == 200


async def test_an_order_that_comes_after_a_later_one_changes_nothing(tmp_path: Path) -> None:
    """A drain that was long on its way must not close what was opened since."""
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        assert await told(agent, Verb.OPEN, 8) == (Heard.DONE, Gate.OPEN)
        assert await told(agent, Verb.DRAIN, 7) == (Heard.REFUSED, Gate.OPEN)
        assert (await told(agent, Verb.DRAIN, 8))[0] is not Heard.REFUSED, "the same again is asked for progress"


async def test_another_token_finds_a_deaf_agent(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        said, seen = await ask(place(agent), Order(Verb.DRAIN, 1), "another")
        assert (said.heard, seen.gate) == (Heard.DEAF, Gate.OPEN)


async def test_a_pod_that_has_the_address_now_is_not_told_what_was_meant_for_another(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        load = await agent.load()
        said, _ = await ask(place(agent, "web-before"), Order(Verb.DRAIN, 1), TOKEN)
        assert said.heard is (Heard.SILENT if load["pod"] else Heard.UNDER_WAY)
        assert (await agent.load())["gate"] == "open" or not load["pod"]


async def test_nobody_there_is_an_answer_too() -> None:
    (port,) = free_ports(1)
    said, _ = await ask(Place("web", "127.0.0.1", port), Order(Verb.DRAIN, 1), TOKEN)
    assert said.heard is Heard.SILENT


async def test_an_agent_that_does_not_answer_costs_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        async with asyncio.timeout(4):
            said, _ = await ask(Place("web", "127.0.0.1", port), Order(Verb.DRAIN, 1), TOKEN)
    assert said.heard is Heard.SILENT
