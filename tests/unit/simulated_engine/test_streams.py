"""Answers in chunks."""

import asyncio
from dataclasses import replace
from typing import Any

from tests.unit.simulated_engine.served import INSTANT, SLOW, Served, reason_of, text_of
from tests.unit.simulated_engine.test_answers import TOOL


async def test_a_stream_says_word_by_word_what_the_whole_answer_says() -> None:
    async with Served() as engine:
        whole = (await engine.chat(max_tokens=9))["choices"][0]["message"]["content"]
        events = await engine.streamed(max_tokens=9)
    assert text_of(events) == whole
    assert reason_of(events) == "length"
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert len(events) == 10  # the role, and a token each
    assert len({event["id"] for event in events}) == 1


async def test_usage_comes_at_the_end_where_asked_for_and_else_never() -> None:
    async with Served() as engine:
        without = await engine.streamed(max_tokens=3)
        with_usage = await engine.streamed(max_tokens=3, stream_options={"include_usage": True})
    assert not any("usage" in event for event in without)
    assert [event["usage"]["completion_tokens"] for event in with_usage if "usage" in event] == [3]
    assert with_usage[-1]["choices"] == []


async def test_usage_comes_with_each_chunk_where_asked_for() -> None:
    async with Served() as engine:
        options = {"include_usage": True, "continuous_usage_stats": True}
        events = await engine.streamed(max_tokens=3, stream_options=options)
    assert [event["usage"]["completion_tokens"] for event in events] == [0, 1, 2, 3, 3]


async def test_completions_stream_too() -> None:
    async with Served() as engine:
        whole = (await engine.complete(max_tokens=5))["choices"][0]["text"]
        events = await engine.streamed("/v1/completions", messages=None, prompt="Once", max_tokens=5)
    assert "".join(choice["text"] for event in events for choice in event["choices"]) == whole


async def test_a_tool_call_streams_its_arguments() -> None:
    async with Served() as engine:
        events = await engine.streamed(tools=[TOOL])
    calls: list[dict[str, Any]] = [
        call for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls", [])
    ]
    assert calls[0]["function"]["name"] == "weather"
    assert "".join(call["function"]["arguments"] for call in calls) == '{"city": "Say something."}'
    assert reason_of(events) == "tool_calls"


async def test_a_stop_string_is_never_shown_in_part() -> None:
    async with Served() as engine:
        whole = (await engine.chat(max_tokens=20))["choices"][0]["message"]["content"]
        stop = " ".join(whole.split()[5:8])
        events = await engine.streamed(max_tokens=20, stop=[stop])
    assert text_of(events) == whole[: whole.find(stop)]
    assert reason_of(events) == "stop"


async def test_tokens_come_at_the_pace_of_the_steps() -> None:
    loop = asyncio.get_running_loop()
    async with Served(replica=SLOW) as engine:
        began = loop.time()
        await engine.chat(max_tokens=40)
        seconds = loop.time() - began
    assert 40 * 0.005 <= seconds < 2 * 40 * 0.005 + 0.1


async def test_a_client_that_goes_away_takes_its_sequence_with_it() -> None:
    async with Served(replica=SLOW) as engine:
        async with engine.stream(max_tokens=4000, ignore_eos=True) as events:
            await anext(events)
            await engine.until_metric("vllm:num_requests_running", 1)
        await engine.until_metric("vllm:num_requests_running", 0)
        assert await engine.metric("vllm:kv_cache_usage_perc") == 0
        assert await engine.metric('vllm:request_success_total{finished_reason="abort"}') == 0


async def test_a_client_that_gives_up_waiting_leaves_the_queue() -> None:
    async with Served(replica=replace(SLOW, max_sequences=1)) as engine:
        clients = [asyncio.create_task(engine.chat(max_tokens=4000, ignore_eos=True)) for _ in range(2)]
        await engine.until_metric("vllm:num_requests_waiting", 1)
        clients[1].cancel()
        await engine.until_metric("vllm:num_requests_waiting", 0)
        assert await engine.metric("vllm:num_requests_running") == 1
        clients[0].cancel()


async def test_hundreds_of_streams_run_side_by_side_and_all_come_whole() -> None:
    async with Served(replica=INSTANT) as engine:
        streams = await asyncio.gather(*(engine.streamed(max_tokens=20, seed=index) for index in range(300)))
    assert all(len(text_of(events).split()) == 20 for events in streams)
    assert len({text_of(events) for events in streams}) == 300
