"""Beside an engine in another container: nothing to start and nothing to kill."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.unit.agent.agents import Agent, engine_environment, simulated

SLOW = ("--decode-base-ms", "10")


@contextmanager
def engine_beside(agent: Agent, *flags: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = simulated(agent.engine_port, *flags)
    with subprocess.Popen(command, env=engine_environment(), stdout=subprocess.DEVNULL) as engine:
        yield engine
        engine.kill()


async def test_it_becomes_ready_with_the_engine_beside_it(tmp_path: Path) -> None:
    async with Agent(tmp_path) as agent:
        assert (await agent.loaded(phase="loading"))["gate"] == "open"
        with engine_beside(agent):
            await agent.ready()
            assert (await agent.complete())[0] == 200


async def test_told_to_end_after_the_engine_it_ends_at_once(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--settle-seconds", "30") as agent:
        with engine_beside(agent):
            await agent.ready()
        agent.process.send_signal(signal.SIGTERM)
        assert await agent.code(5) == 0


async def test_told_to_end_before_the_engine_it_goes_on_with_what_runs(tmp_path: Path) -> None:
    async with Agent(tmp_path) as agent:
        with engine_beside(agent, *SLOW) as engine:
            await agent.ready()
            stream = asyncio.create_task(agent.stream(100))
            await agent.loaded(in_flight=1)
            agent.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            engine.send_signal(signal.SIGTERM)
            assert (await stream).rstrip().endswith(b"data: [DONE]")
            assert await agent.code(5) == 0


async def test_an_engine_that_comes_back_is_served_again(tmp_path: Path) -> None:
    async with Agent(tmp_path) as agent:
        with engine_beside(agent):
            await agent.ready()
        await agent.answers("/readyz", 503, within_seconds=15)
        assert (await agent.get("/livez"))[0] == 200
        with engine_beside(agent):
            await agent.ready()
            assert (await agent.complete())[0] == 200


async def test_a_hang_makes_the_engine_s_liveness_bad_until_it_is_over(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--stall-seconds", "1") as agent:
        with engine_beside(agent, "--hang"):
            await agent.ready()
            request = asyncio.create_task(agent.complete())
            text = await agent.answers("/livez", 503)
            assert "1 request(s) in flight" in text
        assert (await request)[0] == 502
        await agent.answers("/livez", 200)
        assert agent.process.returncode is None


async def test_an_agent_that_was_restarted_beside_a_sleeping_engine_knows_it(tmp_path: Path) -> None:
    async with Agent(tmp_path) as agent:
        with engine_beside(agent):
            await agent.ready()
            await agent.post("/drain")
            await agent.loaded(gate="refusing")
            assert (await agent.post("/sleep"))[0] == 202
            await agent.loaded(asleep=True)
            agent.process.kill()
            await agent.process.wait()
            again = Agent(tmp_path)
            again.engine_port = agent.engine_port
            async with again:
                load = await (await again.ready()).load()
                assert (load["asleep"], load["gate"]) == (True, "refusing")
                assert (await again.post("/open"))[0] == 409
