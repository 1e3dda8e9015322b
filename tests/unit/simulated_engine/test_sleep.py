"""vLLM's sleep mode."""

import asyncio
import json

import pytest

from tests.unit.simulated_engine.served import SLOW, Served, reason_of, text_of


async def asleep(engine: Served) -> bool:
    return bool(json.loads((await engine.get("/is_sleeping"))[1])["is_sleeping"])


async def test_a_request_that_comes_while_it_sleeps_is_answered_after_it_wakes() -> None:
    async with Served() as engine:
        assert await engine.post("/sleep") == (200, {"status": "sleeping", "level": 1})
        assert await asleep(engine)
        client = asyncio.create_task(engine.chat(max_tokens=3))
        await engine.until_metric("vllm:num_requests_waiting", 1)
        assert not client.done()
        assert await engine.post("/wake_up") == (200, {"status": "awake", "tags": None})
        assert not await asleep(engine)
        assert (await client)["usage"]["completion_tokens"] == 3


async def test_falling_asleep_ends_running_streams_early_and_says_so() -> None:
    async with Served(replica=SLOW) as engine:
        async with engine.stream(max_tokens=4000, ignore_eos=True) as events:
            first = [await anext(events), await anext(events)]
            await engine.post("/sleep?level=1&mode=abort")
            rest = [event async for event in events]
        assert reason_of(first + rest) == "abort"
        assert 0 < len(text_of(first + rest).split()) < 4000
        assert await engine.metric('vllm:request_success_total{finished_reason="abort"}') == 1


async def test_in_mode_wait_running_streams_finish_and_queued_ones_stay() -> None:
    async with Served(replica=SLOW) as engine:
        async with engine.stream(max_tokens=30, ignore_eos=True) as events:
            first = [await anext(events)]
            falling = asyncio.create_task(engine.post("/sleep?mode=wait"))
            while not await asleep(engine):  # noqa: ASYNC110 - what another process would do
                await asyncio.sleep(0.001)
            late = asyncio.create_task(engine.chat(max_tokens=1))
            rest = [event async for event in events]
        await falling
        assert reason_of(first + rest) == "length"
        await engine.until_metric("vllm:num_requests_waiting", 1)
        await engine.post("/wake_up")
        await late


async def test_in_mode_keep_streams_stand_still_and_go_on_afterwards() -> None:
    async with Served(replica=SLOW) as engine, engine.stream(max_tokens=30, ignore_eos=True) as events:
        first = [await anext(events)]
        await engine.post("/sleep?mode=keep")
        await asyncio.sleep(0.02)
        stands = await engine.metric("vllm:generation_tokens_total")
        await asyncio.sleep(0.05)
        assert await engine.metric("vllm:generation_tokens_total") == stands
        await engine.post("/wake_up")
        rest = [event async for event in events]
    assert len(text_of(first + rest).split()) == 30


async def test_the_sleep_state_is_a_metric() -> None:
    async with Served() as engine:
        assert await engine.metric('vllm:engine_sleep_state{sleep_state="awake"}') == 1
        await engine.post("/sleep?level=2")
        assert await engine.metric('vllm:engine_sleep_state{sleep_state="awake"}') == 0
        assert await engine.metric('vllm:engine_sleep_state{sleep_state="discard_all"}') == 1


async def test_it_wakes_in_parts_and_serves_when_all_is_there() -> None:
    async with Served() as engine:
        await engine.post("/sleep")
        assert (await engine.post("/wake_up?tags=weights"))[1] == {"status": "sleeping", "tags": ["weights"]}
        assert await asleep(engine)
        assert (await engine.post("/wake_up?tags=kv_cache"))[1]["status"] == "awake"
        await engine.chat(max_tokens=1)


async def test_level_0_gives_up_no_memory() -> None:
    async with Served() as engine:
        await engine.post("/sleep?level=0")
        assert await asleep(engine)
        assert await engine.metric('vllm:engine_sleep_state{sleep_state="awake"}') == 1
        assert (await engine.post("/wake_up?tags=scheduling"))[1]["status"] == "awake"


async def test_waking_takes_the_time_that_it_is_told() -> None:
    loop = asyncio.get_running_loop()
    async with Served(wake_seconds=0.05) as engine:
        await engine.post("/sleep")
        began = loop.time()
        await engine.post("/wake_up")
        assert loop.time() - began >= 0.05


@pytest.mark.parametrize("query", ["level=3", "level=x", "mode=gently"])
async def test_a_wrong_way_to_sleep_is_refused(query: str) -> None:
    async with Served() as engine:
        status, _ = await engine.refusal(f"/sleep?{query}", None)
        assert status == 400
        assert not await asleep(engine)


async def test_without_development_mode_it_cannot_be_put_to_sleep() -> None:
    async with Served(development=False) as engine:
        for path in ("/sleep", "/wake_up"):
            assert (await engine.post(path))[0] == 404
        assert (await engine.get("/is_sleeping"))[0] == 404


async def test_level_2_forgets_the_weights_until_they_are_loaded_anew() -> None:
    async with Served() as engine:
        before = (await engine.chat(max_tokens=5))["choices"]
        await engine.post("/sleep?level=2&mode=wait")
        await engine.post("/wake_up?tags=weights")
        await engine.post("/wake_up?tags=kv_cache")
        assert (await engine.chat(max_tokens=5))["choices"] != before
        assert (await engine.post("/collective_rpc", {"method": "reload_weights"}))[0] == 200
        assert (await engine.chat(max_tokens=5))["choices"] == before
