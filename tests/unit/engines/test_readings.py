"""What is read of each engine's page."""

import time

import pytest

from stoker_runtime.readings import Reading, read
from stoker_runtime.simulated.metrics import Metrics
from tests.unit.engines import pages

MANY_US = 2000  # on a machine that does much else; it is about 150


def test_vllm_says_everything() -> None:
    assert read("vllm", pages.VLLM) == Reading(
        running=3,
        queued=5,
        kv_share=0.25,
        preemptions=2,
        prompt_tokens=12_345_678,
        output_tokens=4242,
        ttft_count=10,
        ttft_sum_seconds=2.5,
        itl_count=400,
        itl_sum_seconds=8.0,
    )


def test_sglang_says_everything_in_its_own_words() -> None:
    assert read("sglang", pages.SGLANG) == Reading(7, 1, 0.75, 2, 128, 64, 3, 1.5, 61, 2.0)


def test_llamacpp_has_no_latencies_and_no_cache() -> None:
    assert read("llamacpp", pages.LLAMACPP) == Reading(running=2, queued=4, prompt_tokens=231, output_tokens=77)


def test_tgi_has_its_time_between_tokens_as_means() -> None:
    assert read("tgi", pages.TGI) == Reading(
        running=8, queued=6, prompt_tokens=4000, output_tokens=900, itl_count=20, itl_sum_seconds=0.5
    )


def test_tensorrt_llm_of_today_and_before() -> None:
    assert read("tensorrt-llm", pages.TENSORRT_LLM) == Reading(
        running=4,
        queued=2,
        kv_share=0.5,
        prompt_tokens=30,
        output_tokens=20,
        ttft_count=2,
        ttft_sum_seconds=0.25,
        itl_count=2,
        itl_sum_seconds=0.125,
    )
    assert read("tensorrt-llm", pages.TENSORRT_LLM_1_2) == Reading(ttft_count=2, ttft_sum_seconds=0.5)


def test_names_of_older_versions_are_known() -> None:
    reading = read("vllm", pages.VLLM_OF_2024)
    assert reading == Reading(running=3, kv_share=0.5, itl_count=40, itl_sum_seconds=4.0)


def test_a_share_that_tabby_does_not_know_is_not_0() -> None:
    assert read("exllamav2", pages.TABBY) == Reading(
        running=1, queued=3, kv_share=0.5, prompt_tokens=500, output_tokens=200
    )
    unknown = pages.TABBY.replace(b"ratio 0.5", b"ratio 0.0").replace(b"max_tokens 8192", b"max_tokens 0")
    assert read("exllamav2", unknown).kv_share is None


def test_a_queue_that_triton_does_not_have_is_not_empty() -> None:
    assert read("triton", pages.TRITON) == Reading(prompt_tokens=10, output_tokens=16)


@pytest.mark.parametrize("engine", ["ollama", "transformers", "no-such-engine"])
def test_an_engine_without_metrics_says_nothing(engine: str) -> None:
    assert read(engine, pages.VLLM) == Reading()


@pytest.mark.parametrize(
    ("page", "engine"),
    [(pages.VLLM, "vllm"), (pages.SGLANG, "sglang"), (pages.TGI, "tgi"), (pages.LLAMACPP, "llamacpp")],
)
def test_a_custom_server_is_read_as_the_engine_whose_names_it_has(page: bytes, engine: str) -> None:
    assert read("custom", page) == read(engine, page)
    assert read("custom", page) != Reading()


def test_a_custom_server_with_names_of_its_own_says_nothing() -> None:
    assert read("custom", b"my_requests 3\n") == Reading()


def test_engines_of_one_page_are_added_and_the_fullest_cache_counts() -> None:
    second = pages.VLLM.replace(b'engine="0"', b'engine="1"').replace(b" 0.25", b" 0.75")
    reading = read("vllm", pages.VLLM + second)
    assert (reading.running, reading.queued, reading.kv_share) == (6, 10, 0.75)
    assert (reading.ttft_count, reading.ttft_sum_seconds) == (20, 5.0)


def test_the_simulated_engine_is_read_by_its_own_page() -> None:
    metrics = Metrics('a"}\\ 7\n', 32_768)
    metrics.first_token.observe(0.5)
    gauges = {"vllm:num_requests_running": 3, "vllm:num_requests_waiting": 2, "vllm:kv_cache_usage_perc": 0.5}
    reading = read("simulated", metrics.text(gauges, 0, 4).encode())
    assert (reading.running, reading.queued, reading.kv_share, reading.preemptions) == (3, 2, 0.5, 4)
    assert (reading.ttft_count, reading.ttft_sum_seconds, reading.itl_count) == (1, 0.5, 0)


def test_a_page_of_57_kb_is_read_in_far_less_than_a_step_of_the_engine() -> None:
    filler = b"".join(b'vllm:other_total{engine="0",model_name="llama-8b",a="%d"} %d.0\n' % (n, n) for n in range(1000))
    page = pages.VLLM + filler[: 57_000 - len(pages.VLLM)].rpartition(b"\n")[0] + b"\n"
    began = time.process_time()
    for _ in range(200):
        read("vllm", page)
    each_us = (time.process_time() - began) / 200 * 1e6
    print(f"{each_us:.0f} µs for a page of {len(page):,} bytes")
    assert each_us < MANY_US
