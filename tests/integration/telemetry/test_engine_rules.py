"""What the rules make of the engines' own metrics, figure by figure: promtool lives through series that are written
down."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from stoker.telemetry.rules.recorded import measured
from tests.integration.telemetry.promtool import NEEDED, ask_promtool, series

pytestmark = NEEDED

Values = dict[str, str]
MODEL = {"namespace": "models", "model": "llama"}
VLLM_TTFT = "vllm:time_to_first_token_seconds"
VLLM_ITL = "vllm:inter_token_latency_seconds"
OUT = "stoker:engine_output_tokens:rate"
TTFT = "stoker:engine_ttft_seconds"
ITL = "stoker:engine_itl_seconds"


def replica(pod: str, model: str = "llama", tier: str = "serving", values: str = "1+0x30") -> Values:
    """What the operator tells of it."""
    return {series("stoker_replica_info", namespace="models", model=model, pod=pod, tier=tier): values}


def page(
    pod: str, rates: Mapping[str, float], job: str = "engines", namespace: str = "models", **labels: str
) -> Values:
    """Counters of a pod's engine, by what each grows in a second."""
    its = {"namespace": namespace, "pod": pod, "job": job, "instance": f"{pod}:8000"} | labels
    return {series(name, **its): f"0+{60 * rate:g}x30" for name, rate in rates.items()}


def histogram(pod: str, name: str, rates: Mapping[str, float], **labels: str) -> Values:
    """Buckets by their bound. The last one has all."""
    found: Values = {}
    for bound, rate in rates.items():
        found |= page(pod, {f"{name}_bucket": rate}, le=bound, **labels)
    return found


def told(folder: Path, found: Values, **expected: float | None) -> str:
    """What promtool complains of. `expected` are expressions and the one value of the model; None: no sample."""
    asked = [
        {
            "expr": f"round({expression}, 0.001)",
            "eval_time": "15m",
            "exp_samples": [] if value is None else [{"labels": series("", **MODEL), "value": value}],
        }
        for expression, value in expected.items()
    ]
    lived = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in found.items()],
        "promql_expr_test": asked,
    }
    return ask_promtool(folder, lived)


@pytest.mark.parametrize(
    "name",
    [
        "vllm:time_to_first_token_seconds",
        "sglang:time_to_first_token_seconds",
        "trtllm_time_to_first_token_seconds",
        "time_to_first_token_seconds",
    ],
)
def test_the_first_token_has_quantiles_over_the_replicas_of_a_model(name: str, tmp_path: Path) -> None:
    fast = histogram("a", name, {"0.1": 9, "0.5": 10, "+Inf": 10})
    slow = histogram("b", name, {"0.1": 0, "0.5": 10, "+Inf": 10})
    found = replica("a") | replica("b") | fast | slow
    # Of 20 requests a second 9 are below 0.1 s and 11 between 0.1 s and 0.5 s.
    assert told(tmp_path, found, **{f"{TTFT}:p50": 0.136, f"{TTFT}:p95": 0.464, f"{TTFT}:p99": 0.493}) == ""


@pytest.mark.parametrize(
    "name",
    [
        "vllm:inter_token_latency_seconds",
        "vllm:time_per_output_token_seconds",
        "sglang:inter_token_latency_seconds",
    ],
)
def test_gaps_between_tokens_have_quantiles_and_a_mean(name: str, tmp_path: Path) -> None:
    found = replica("a") | histogram("a", name, {"0.1": 5, "0.5": 10, "+Inf": 10})
    found |= page("a", {f"{name}_sum": 2.5, f"{name}_count": 10})
    assert told(tmp_path, found, **{f"{ITL}:p50": 0.1, f"{ITL}:p95": 0.46, f"{ITL}:mean": 0.25}) == ""


@pytest.mark.parametrize(
    ("seconds", "count"),
    [
        ("sglang:time_per_output_token_seconds_sum", "sglang:time_per_output_token_seconds_count"),
        ("tgi_request_mean_time_per_token_duration_sum", "tgi_request_mean_time_per_token_duration_count"),
        ("trtllm_time_per_output_token_seconds_sum", "trtllm_time_per_output_token_seconds_count"),
        ("time_per_output_token_seconds_sum", "time_per_output_token_seconds_count"),
        ("llamacpp:tokens_predicted_seconds_total", "llamacpp:tokens_predicted_total"),
        ("tabbyapi:tokens_predicted_seconds_total", "tabbyapi:tokens_predicted_total"),
    ],
)
def test_of_means_and_sums_there_is_a_mean_and_no_quantile(seconds: str, count: str, tmp_path: Path) -> None:
    found = replica("a") | page("a", {seconds: 0.5, count: 20})
    buckets = histogram("a", seconds.removesuffix("_sum"), {"0.1": 20, "0.5": 20, "+Inf": 20})
    assert told(tmp_path, found | buckets, **{f"{ITL}:mean": 0.025, f"{ITL}:p95": None, f"{TTFT}:p95": None}) == ""


@pytest.mark.parametrize(
    ("answers", "prompts"),
    [
        ("vllm:generation_tokens_total", "vllm:prompt_tokens_total"),
        ("sglang:generation_tokens_total", "sglang:prompt_tokens_total"),
        ("llamacpp:tokens_predicted_total", "llamacpp:prompt_tokens_total"),
        ("tgi_request_generated_tokens_sum", "tgi_request_input_length_sum"),
        ("trtllm_generation_tokens_total", "trtllm_prompt_tokens_total"),
        ("tabbyapi:tokens_predicted_total", "tabbyapi:prompt_tokens_total"),
    ],
)
def test_tokens_of_all_replicas_are_added(answers: str, prompts: str, tmp_path: Path) -> None:
    found = replica("a") | replica("b") | page("a", {answers: 8, prompts: 30}) | page("b", {answers: 2, prompts: 10})
    assert told(tmp_path, found, **{OUT: 10, "stoker:engine_prompt_tokens:rate": 40}) == ""


def test_replicas_of_two_engines_are_added_while_a_model_changes_its_engine(tmp_path: Path) -> None:
    found = replica("a") | replica("b")
    found |= page("a", {"vllm:generation_tokens_total": 8, f"{VLLM_ITL}_sum": 1, f"{VLLM_ITL}_count": 10})
    found |= page("b", {"llamacpp:tokens_predicted_total": 2, "llamacpp:tokens_predicted_seconds_total": 2})
    assert told(tmp_path, found, **{OUT: 10, f"{ITL}:mean": 0.25}) == ""


def test_engines_and_ranks_of_one_page_are_added(tmp_path: Path) -> None:
    found = replica("a")
    for engine in ("0", "1"):
        found |= page("a", {"vllm:generation_tokens_total": 5}, engine=engine)
        found |= histogram("a", VLLM_TTFT, {"0.1": 1, "0.3": 2, "+Inf": 2}, engine=engine)
    assert told(tmp_path, found, **{OUT: 10, f"{TTFT}:p95": 0.28}) == ""


def test_a_page_that_two_jobs_scrape_counts_once(tmp_path: Path) -> None:
    found = replica("a") | replica("b") | page("b", {"vllm:generation_tokens_total": 2})
    for job in ("stoker-replicas", "by-annotations"):
        found |= page("a", {"vllm:generation_tokens_total": 8}, job=job)
    assert told(tmp_path, found, **{OUT: 10}) == ""


def test_of_two_names_of_one_measure_on_a_page_the_newer_is_taken(tmp_path: Path) -> None:
    found = replica("a")
    for name, seconds in ((VLLM_ITL, 1), ("vllm:time_per_output_token_seconds", 9)):
        found |= page("a", {f"{name}_sum": seconds, f"{name}_count": 10})
    assert told(tmp_path, found, **{f"{ITL}:mean": 0.1}) == ""


def test_a_server_that_is_no_replica_is_left_out_whatever_its_labels_say(tmp_path: Path) -> None:
    found = replica("a") | page("a", {"vllm:generation_tokens_total": 8})
    found |= page("somebody-elses", {"vllm:generation_tokens_total": 100}, model="llama")
    found |= page("a", {"vllm:generation_tokens_total": 100}, namespace="other", model="llama")
    assert told(tmp_path, found, **{OUT: 8}) == ""


def test_a_label_of_the_engines_that_is_called_model_does_not_name_the_model(tmp_path: Path) -> None:
    found = replica("a") | page("a", {"vllm:generation_tokens_total": 8}, model="chat")
    assert told(tmp_path, found, **{OUT: 8}) == ""


def test_a_replica_that_is_promoted_goes_on(tmp_path: Path) -> None:
    found = replica("a", tier="warm", values="1+0x12 stale") | replica("a", values="_x13 1+0x17")
    found |= page("a", {"vllm:generation_tokens_total": 8})
    assert told(tmp_path, found, **{OUT: 8}) == ""


def test_a_replica_that_two_operators_tell_of_counts_once(tmp_path: Path) -> None:
    """For a moment, when another operator takes over."""
    found = replica("a", tier="warm") | replica("a") | page("a", {"vllm:generation_tokens_total": 8})
    assert told(tmp_path, found, **{OUT: 8}) == ""


def test_a_model_without_a_request_has_no_mean(tmp_path: Path) -> None:
    found = replica("a") | page("a", {f"{VLLM_ITL}_sum": 0, f"{VLLM_ITL}_count": 0})
    assert told(tmp_path, found, **{f"{ITL}:mean": None}) == ""


def test_an_engine_that_says_nothing_has_no_sample(tmp_path: Path) -> None:
    names = ("output_tokens:rate", "prompt_tokens:rate", "ttft_seconds:p50", "itl_seconds:p50", "itl_seconds:mean")
    found = replica("a") | page("a", {"my_tokens_total": 5})
    assert told(tmp_path, found, **{f"stoker:engine_{name}": None for name in names}) == ""


def agents_tokens(rate: float) -> Values:
    return {series("stoker_replica_output_tokens_total", pod="a", **MODEL): f"0+{60 * rate:g}x30"}


def test_what_agents_measure_comes_first(tmp_path: Path) -> None:
    found = replica("a") | page("a", {"vllm:generation_tokens_total": 8}) | agents_tokens(7)
    assert told(tmp_path, found, **{measured("output_tokens:rate"): 7, OUT: 8}) == ""


def test_without_agents_the_engine_is_asked(tmp_path: Path) -> None:
    found = replica("a") | page("a", {"vllm:generation_tokens_total": 8})
    assert told(tmp_path, found, **{measured("output_tokens:rate"): 8}) == ""


def cost(per_second: float) -> Values:
    return {series("stoker_model_cost_total", state="serving", **MODEL): f"0+{60 * per_second:g}x30"}


PER_MILLION = "stoker:model_cost:per_million_tokens"


def test_tokens_have_a_cost_with_agents_and_without(tmp_path: Path) -> None:
    engine = page("a", {"vllm:generation_tokens_total": 10, "vllm:prompt_tokens_total": 40})
    assert told(tmp_path, replica("a") | cost(0.001) | engine, **{PER_MILLION: 20}) == ""
    assert told(tmp_path, replica("a") | cost(0.001) | agents_tokens(10), **{PER_MILLION: 100}) == ""


def test_tokens_of_prompts_that_nobody_counts_cost_nothing_and_no_tokens_have_no_cost(tmp_path: Path) -> None:
    assert told(tmp_path, cost(0.001) | agents_tokens(10), **{PER_MILLION: 100}) == ""
    assert told(tmp_path, cost(0.001) | agents_tokens(0), **{PER_MILLION: None}) == ""
    assert told(tmp_path, cost(0.001), **{PER_MILLION: None}) == ""
