"""Sleep and wake: only what nothing can reach and nothing runs on is put to sleep."""

import asyncio
import json
from pathlib import Path

from tests.unit.agent.agents import Agent, Json


async def drained(agent: Agent) -> None:
    await agent.post("/drain")
    await agent.loaded(gate="refusing", in_flight=0)


async def test_an_engine_sleeps_and_wakes_and_serves(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--sleep-seconds", "0.2", "--wake-seconds", "0.2") as agent:
        await agent.ready()
        await drained(agent)
        assert (await agent.post("/sleep?level=1"))[0] == 202
        assert (await agent.post("/wake"))[0] == 409, "while it falls asleep"
        await answered(agent, "/sleep", 200)
        assert (await agent.load())["asleep"] is True
        assert (await agent.get("/readyz"))[0] == 200
        assert (await agent.post("/open"))[0] == 409
        assert (await agent.post("/wake"))[0] == 202
        await answered(agent, "/wake", 200)
        assert (await agent.load())["gate"] == "refusing", "to open is another word"
        assert (await agent.post("/open"))[0] == 200
        assert (await agent.complete())[0] == 200


async def test_what_serves_is_not_put_to_sleep(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--decode-base-ms", "10") as agent:
        await agent.ready()
        status, text = await agent.post("/sleep")
        assert (status, json.loads(text)["message"]) == (
            409,
            "The gate is open: POST /drain first, and wait until it is refusing.",
        )
        stream = asyncio.create_task(agent.stream(250))
        await agent.loaded(in_flight=1)
        await agent.post("/drain")
        await agent.loaded(gate="refusing")
        assert await agent.post("/sleep") == (409, '{"message": "1 request(s) are in flight: wait until none is."}')
        await stream


async def test_a_level_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        await drained(agent)
        assert (await agent.post("/sleep?level=3"))[0] == 400


async def test_after_a_sleep_that_dropped_the_weights_it_says_what_it_said_before(tmp_path: Path) -> None:
    async with Agent(tmp_path).of() as agent:
        await agent.ready()
        before = await agent.complete()
        await drained(agent)
        await answered(agent, "/sleep?level=2", 200)
        await answered(agent, "/wake", 200)
        await agent.post("/open")
        assert text_in(await agent.complete()) == text_in(before)


async def test_weights_that_are_not_the_model_s_are_let_serve_nobody(tmp_path: Path) -> None:
    async with Agent(tmp_path).of("--wrong-weights") as agent:
        await agent.ready()
        await drained(agent)
        await answered(agent, "/sleep?level=2", 200)
        for _ in range(2):
            async with asyncio.timeout(10):
                while "before it slept" not in (await agent.post("/wake"))[1]:  # noqa: ASYNC110 - what an operator does
                    await asyncio.sleep(0.05)
            assert (await agent.load())["asleep"] is True, "or it may be"
            assert (await agent.post("/open"))[0] == 409
            await answered(agent, "/sleep?level=1", 200)  # which brings no weights back


async def test_an_engine_that_cannot_sleep_says_so(tmp_path: Path) -> None:
    async with Agent(tmp_path, "--engine", "llamacpp").of() as agent:
        await agent.ready()
        await drained(agent)
        status, text = await agent.post("/sleep")
        assert (status, "llamacpp cannot sleep" in text) == (501, True)
        assert (await agent.post("/wake"))[0] == 501


async def test_a_sleep_that_fails_is_told_with_the_next_try(tmp_path: Path) -> None:
    async with Agent(tmp_path, development=False).of() as agent:
        await agent.ready()
        await drained(agent)
        assert (await agent.post("/sleep"))[0] == 202
        async with asyncio.timeout(5):
            while "VLLM_SERVER_DEV_MODE=1" not in (await agent.post("/sleep"))[1]:  # noqa: ASYNC110 - what an operator does
                await asyncio.sleep(0.05)


async def answered(agent: Agent, path: str, wanted: int) -> None:
    async with asyncio.timeout(5):
        while (await agent.post(path))[0] != wanted:  # noqa: ASYNC110 - what an operator does
            await asyncio.sleep(0.02)


def text_in(answer: tuple[int, Json]) -> str:
    status, body = answer
    assert status == 200
    text: str = body["choices"][0]["text"]
    return text
