"""What the pipe counts is what the engine says, for the simulated engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from stoker_runtime.agent.gate import Gate
from stoker_runtime.agent.pipe.limits import Limits
from stoker_runtime.agent.pipe.serving import open_pipe
from stoker_runtime.agent.pipe.upstream import TcpUpstream
from stoker_runtime.agent.tally import Outcome, Tally
from tests.unit.agent_pipe.raw_engine import chunks_of
from tests.unit.simulated_engine.served import MESSAGES, Served

# The simulated engine runs on asyncio's own loop alone.
pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])


@asynccontextmanager
async def before_an_engine() -> AsyncIterator[tuple[aiohttp.ClientSession, Tally]]:
    tally = Tally()
    async with Served() as engine:
        pipe = await open_pipe(("127.0.0.1", 0), TcpUpstream(engine.port), Gate(), tally, Limits())
        async with aiohttp.ClientSession(f"http://127.0.0.1:{pipe.port}") as client:
            yield client, tally
        await pipe.close(1)


async def ask(client: aiohttp.ClientSession, **fields: object) -> str:
    request = {"model": "m", "messages": MESSAGES, "max_tokens": 7, "ignore_eos": True} | fields
    async with client.post("/v1/chat/completions", json=request) as response:
        return await response.text()


async def test_an_answer_in_one_piece_says_its_tokens() -> None:
    async with before_an_engine() as (client, tally):
        await ask(client)
        assert (tally.output_tokens, chunks_of(tally), tally.counted) == (7, 1, "usage")
        assert tally.prompt_tokens


async def test_a_stream_with_usage_says_its_tokens() -> None:
    async with before_an_engine() as (client, tally):
        await ask(client, stream=True, stream_options={"include_usage": True})
        assert (tally.output_tokens, tally.counted) == (7, "usage")
        assert tally.ttft.count == 1


async def test_a_stream_without_usage_is_counted_by_its_events() -> None:
    async with before_an_engine() as (client, tally):
        events = (await ask(client, stream=True)).count("data: {")
        assert (tally.output_tokens, chunks_of(tally), tally.counted) == (events, events, "chunks")
        assert tally.itl.count == events - 1


async def test_an_error_of_the_engine_is_passed_on_and_counted_as_one() -> None:
    async with before_an_engine() as (client, tally):
        assert '"error"' in await ask(client, model="other")
        assert (tally.ended[Outcome.REJECTED], chunks_of(tally)) == (1, 0)
