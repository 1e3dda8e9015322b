"""What a scraper reads, by the names of vLLM 0.31."""

import asyncio
from dataclasses import replace

from stoker_runtime.simulated.metrics import Histogram
from tests.unit.simulated_engine.served import SLOW, Served

NAMES = """
vllm:num_requests_running vllm:num_requests_waiting vllm:kv_cache_usage_perc vllm:prompt_tokens_total
vllm:generation_tokens_total vllm:time_to_first_token_seconds vllm:inter_token_latency_seconds
vllm:e2e_request_latency_seconds vllm:request_success_total vllm:num_preemptions_total vllm:engine_sleep_state
vllm:request_queue_time_seconds vllm:request_prefill_time_seconds vllm:request_decode_time_seconds
vllm:request_time_per_output_token_seconds vllm:request_prompt_tokens vllm:request_generation_tokens
"""


async def test_all_names_are_there_before_the_first_request() -> None:
    async with Served() as engine:
        _, text = await engine.get("/metrics")
    for name in NAMES.split():
        assert f"# TYPE {name} " in text


async def test_the_model_is_a_label_with_its_quotes_escaped() -> None:
    async with Served(served_model_name='a"b') as engine:
        _, text = await engine.get("/metrics")
    assert 'vllm:num_requests_running{engine="0",model_name="a\\"b"} 0.0' in text


async def test_tokens_and_ends_are_counted() -> None:
    async with Served(answer_tokens=5) as engine:
        await engine.complete(prompt=[1] * 30, max_tokens=3)
        await engine.complete(prompt=[1] * 30, max_tokens=9)
        assert await engine.metric("vllm:prompt_tokens_total") == 60
        assert await engine.metric("vllm:generation_tokens_total") == 8
        assert await engine.metric('vllm:request_success_total{finished_reason="length"}') == 1
        assert await engine.metric('vllm:request_success_total{finished_reason="stop"}') == 1
        assert await engine.metric("vllm:time_to_first_token_seconds_count") == 2
        assert await engine.metric("vllm:inter_token_latency_seconds_count") == 6
        assert await engine.metric("vllm:e2e_request_latency_seconds_count") == 2


async def test_those_above_the_limit_wait_and_the_load_counts_them_all() -> None:
    async with Served(replica=replace(SLOW, max_sequences=2)) as engine:
        clients = [asyncio.create_task(engine.chat(max_tokens=4000, ignore_eos=True)) for _ in range(5)]
        await engine.until_metric("vllm:num_requests_waiting", 3)
        assert await engine.metric("vllm:num_requests_running") == 2
        assert await engine.metric('vllm:num_requests_waiting_by_reason{reason="capacity"}') == 3
        assert await engine.metric("vllm:kv_cache_usage_perc") > 0
        assert (await engine.get("/load"))[1] == '{"server_load":5}'
        for client in clients:
            client.cancel()


def test_a_value_on_a_bound_is_in_its_bucket() -> None:
    histogram = Histogram((1, 2.5))
    for value in (0.5, 1, 2, 3):
        histogram.observe(value)
    assert histogram.lines("h", "a") == [
        'h_bucket{a,le="1.0"} 2.0',
        'h_bucket{a,le="2.5"} 3.0',
        'h_bucket{a,le="+Inf"} 4.0',
        "h_sum{a} 6.5",
        "h_count{a} 4.0",
    ]
