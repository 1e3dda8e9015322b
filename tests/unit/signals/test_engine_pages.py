"""The engine's own metrics, for replicas without an agent."""

import pytest

from stoker.signals.account import Account
from stoker.signals.engine_page import EngineAnswers
from stoker.signals.unreadable import UnreadableError

PAGE = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 5.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.5
vllm:generation_tokens_total{engine="0",model_name="m"} 70.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 9.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 1.5
"""


def answers(engine: str = "vllm") -> EngineAnswers:
    return EngineAnswers(engine, Account("start"))


def test_a_page_is_read_as_a_load() -> None:
    load = answers().read(PAGE, 3.0)
    assert (load.at_seconds, load.in_flight, load.waiting, load.kv_share) == (3.0, 7, 2, 0.5)
    assert (load.output_tokens, load.ttft_count, load.ttft_sum_seconds) == (70, 9, 1.5)


@pytest.mark.parametrize(
    "torn", [PAGE[:200], b"", b"<html>", PAGE.replace(b" 2.0", b" NaN"), PAGE.replace(b" 5.0", b" -5")]
)
def test_a_page_that_lacks_a_count_is_no_load(torn: bytes) -> None:
    with pytest.raises(UnreadableError, match="does not say"):
        answers().read(torn, 0.0)


@pytest.mark.parametrize("engine", ["ollama", "transformers", "nobody-knows"])
def test_an_engine_without_metrics_is_never_known(engine: str) -> None:
    with pytest.raises(UnreadableError):
        answers(engine).read(PAGE, 0.0)
