"""What fits, what does not, and what nobody can tell."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.api.v1alpha1.engine import EngineName
from stoker.api.v1alpha1.engine_flags import FLAGS_NO_FIELD
from stoker.core.fit.activations import activation_bytes, graph_bytes
from stoker.core.fit.cache import request_bytes_per_gpu
from stoker.core.fit.engine_costs import COSTS, GIB, MIB
from stoker.core.fit.fit import Verdict, fit, longest_context, usable_bytes
from stoker.core.fit.flags import flags
from stoker.core.fit.gpu import Gpu, gpu_named
from stoker.core.fit.remedies import smallest_spread
from stoker.core.fit.setup import CacheType, Setup, splits_evenly, spreads
from stoker.core.fit.weights import weight_bytes_per_gpu
from stoker_runtime.facts import Facts, Task
from tests.unit.fit.models import (
    DEEPSEEK_V3,
    FALCON_7B,
    FAMILIES,
    LLAMA_8B,
    LLAMA_70B,
    LLAMA_405B,
    QWEN_7B,
    dense,
)

L4, H100, T4 = gpu_named("l4"), gpu_named("h100"), gpu_named("t4")
UNKNOWN = Gpu("gpu", None)

memories = st.integers(min_value=0, max_value=300 * 1024).map(lambda mib: Gpu("gpu", mib * MIB))
engines = st.sampled_from(EngineName)
contexts = st.integers(min_value=16, max_value=200_000)


@st.composite
def models(draw: st.DrawFn) -> Facts:
    heads = draw(st.sampled_from([8, 12, 14, 16, 28, 32, 40, 64, 71, 128]))
    kv_heads = draw(st.sampled_from([count for count in (1, 2, 4, 5, 8, 14, 16, 32) if heads % count == 0]))
    size = draw(st.sampled_from([64, 128]))
    layers, inner = draw(st.integers(2, 128)), draw(st.integers(1000, 60_000))
    made = dense(layers, heads * size, inner, heads, kv_heads, size, draw(st.integers(1000, 260_000)))
    return draw(st.sampled_from([made, *FAMILIES]))


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    return Setup(
        gpu=draw(memories),
        engine=draw(engines),
        context_tokens=draw(contexts),
        most_requests=draw(st.none() | st.integers(1, 512)),
        gpu_memory_percent=draw(st.integers(10, 99)),
        cache_type=draw(st.sampled_from(CacheType)),
    )


@pytest.mark.parametrize(
    ("facts", "setup", "printed_gib"),
    [
        # vllm-project/vllm pull request 10511: H100, 8,192 tokens a step, 256 requests, graphs not counted
        (LLAMA_8B, Setup(H100, context_tokens=8192, most_requests=256), 53.29),
        # A published start-up log of Llama 3.1 8B on an RTX A5000, 0.9 of its memory, without graphs
        (LLAMA_8B, Setup(gpu_named("a5000"), context_tokens=2048), 5.29),
    ],
)
def test_the_room_for_kv_cache_is_what_engines_printed_and_no_more(
    facts: Facts, setup: Setup, printed_gib: float
) -> None:
    found = fit(facts, setup)
    assert found.left_bytes is not None
    room_gib = (found.left_bytes + found.parts.cache_bytes + found.parts.graphs_bytes) / GIB
    assert printed_gib - 1 <= room_gib <= printed_gib + 0.7
    assert room_gib - found.parts.graphs_bytes / GIB <= printed_gib


def test_an_8b_model_fits_one_l4_and_a_70b_model_needs_four_h100() -> None:
    assert fit(LLAMA_8B, Setup(L4, context_tokens=8192)).fits
    assert not fit(LLAMA_70B, Setup(H100, context_tokens=8192)).fits
    fewest = smallest_spread(LLAMA_70B, Setup(H100, context_tokens=8192))
    assert fewest is not None
    assert fewest.setup.gpus == 4


def test_what_is_too_large_for_one_node_is_spread_over_stages() -> None:
    fewest = smallest_spread(LLAMA_405B, Setup(H100, context_tokens=8192))
    assert fewest is not None
    assert (fewest.setup.tensor_parallel, fewest.setup.pipeline_parallel) == (8, 2)


def test_the_parts_and_what_is_left_are_the_budget() -> None:
    found = fit(LLAMA_8B, Setup(L4, context_tokens=8192))
    assert found.budget_bytes == usable_bytes(23_034 * MIB) * 90 // 100
    assert found.left_bytes is not None
    assert found.parts.total_bytes + found.left_bytes == found.budget_bytes


def test_half_the_context_holds_twice_as_many() -> None:
    found = fit(LLAMA_8B, Setup(H100, context_tokens=8192))
    assert found.requests_at_once is not None
    assert found.requests_at_half is not None
    assert found.requests_at_half in (2 * found.requests_at_once, 2 * found.requests_at_once + 1)


def test_no_more_requests_are_promised_than_the_engine_runs() -> None:
    assert fit(LLAMA_8B, Setup(H100, context_tokens=1024, most_requests=4)).requests_at_once == 4


def test_a_context_that_nobody_asked_for_becomes_what_fits() -> None:
    whole, shortened = fit(LLAMA_8B, Setup(H100)), fit(LLAMA_8B, Setup(L4))
    assert whole.context_tokens == 131_072
    assert shortened.fits
    assert 8192 < shortened.context_tokens < 131_072
    assert shortened.context_tokens % 1024 == 0


def test_a_context_that_nobody_asked_for_is_not_shortened_to_nothing() -> None:
    found = fit(LLAMA_8B, Setup(T4))
    assert found.verdict is Verdict.MISFIT
    assert found.context_tokens == 4096


def test_a_context_beyond_the_model_is_refused_whatever_the_memory() -> None:
    found = fit(FALCON_7B, Setup(H100, context_tokens=4096))
    assert found.verdict is Verdict.MISFIT
    assert found.obstacles == (
        "contextLength 4,096 is more than the 2,048 tokens that the model was made for: use at most 2,048",
    )


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (Setup(H100, tensor_parallel=8), "does not divide the 28 attention heads"),
        (Setup(H100, tensor_parallel=7), "4 KV heads: use 1, 2 or 4"),
        (Setup(H100, engine=EngineName.LLAMACPP, tensor_parallel=2), "spread whole layers over 2 GPUs instead"),
        (Setup(H100, engine=EngineName.TGI, pipeline_parallel=2), "tgi has no pipeline stages"),
        (Setup(H100, pipeline_parallel=29), "more than the 28 layers"),
    ],
)
def test_a_spread_that_the_engine_refuses_is_a_misfit_that_says_why(setup: Setup, said: str) -> None:
    found = fit(QWEN_7B, setup)
    assert found.verdict is Verdict.MISFIT
    assert said in found.obstacles[0]


def test_a_packing_that_the_engine_does_not_load_is_a_misfit_that_says_which_does() -> None:
    found = fit(replace(LLAMA_8B, quantization="exl2"), Setup(H100))
    assert found.verdict is Verdict.MISFIT
    assert found.obstacles == ("vllm loads no weights in exl2: take engine exllamav2 or tgi, or other weights",)
    assert fit(replace(LLAMA_8B, quantization="exl2"), Setup(H100, EngineName.EXLLAMAV2, context_tokens=8192)).fits


def test_a_packing_that_nobody_here_knows_is_not_doubted() -> None:
    assert fit(replace(LLAMA_8B, quantization="of next year"), Setup(H100, context_tokens=8192)).fits


def test_llama_cpp_sets_memory_aside_for_every_request() -> None:
    one = fit(LLAMA_8B, Setup(H100, EngineName.LLAMACPP, context_tokens=8192))
    four = fit(LLAMA_8B, Setup(H100, EngineName.LLAMACPP, context_tokens=8192, most_requests=4))
    assert four.parts.cache_bytes == 4 * one.parts.cache_bytes
    assert flags(four) == ("--ctx-size", "32768", "--parallel", "4")


def test_sglang_is_told_a_share_that_leaves_room_for_what_it_does_not_count() -> None:
    found = fit(LLAMA_8B, Setup(L4, EngineName.SGLANG, context_tokens=8192, gpu_memory_percent=99))
    words = flags(found)
    share = float(words[words.index("--mem-fraction-static") + 1])
    beside = found.parts.activations_bytes + found.parts.graphs_bytes + found.parts.framework_bytes
    assert share < 0.99
    assert share * usable_bytes(23_034 * MIB) + beside <= usable_bytes(23_034 * MIB)


def test_a_model_that_does_not_say_what_it_keeps_is_unknown_unless_its_weights_are_too_large() -> None:
    silent = replace(LLAMA_8B, groups=())
    assert fit(silent, Setup(H100, context_tokens=8192)).verdict is Verdict.UNKNOWN
    assert fit(silent, Setup(T4, context_tokens=8192)).verdict is Verdict.MISFIT


def test_a_model_that_embeds_needs_neither_cache_nor_logits() -> None:
    bert = replace(LLAMA_8B, groups=(), task=Task.EMBED, context_length=512)
    found = fit(bert, Setup(H100))
    assert found.fits
    assert (found.parts.cache_bytes, found.requests_at_once) == (0, 1024)
    assert found.parts.activations_bytes < fit(LLAMA_8B, Setup(H100)).parts.activations_bytes


@given(models(), setups())
def test_unknown_memory_is_never_a_misfit_for_want_of_memory(facts: Facts, setup: Setup) -> None:
    found = fit(facts, replace(setup, gpu=UNKNOWN))
    assert found.verdict is (Verdict.MISFIT if found.obstacles else Verdict.UNKNOWN)
    assert (found.left_bytes, found.budget_bytes, found.requests_at_once) == (None, None, None)


@given(models(), setups(), contexts)
def test_more_context_never_needs_less(facts: Facts, setup: Setup, other: int) -> None:
    shorter, longer = sorted((setup.context_tokens or 16, other))
    less = fit(facts, replace(setup, context_tokens=shorter))
    more = fit(facts, replace(setup, context_tokens=longer))
    assert less.parts.total_bytes <= more.parts.total_bytes
    assert (more.requests_at_once or 0) <= (less.requests_at_once or 0)


@given(models(), setups(), st.sampled_from([(1, 2), (2, 4), (4, 8), (1, 8)]))
def test_more_ranks_never_need_more_on_each_but_for_the_collectives(
    facts: Facts, setup: Setup, sizes: tuple[int, int]
) -> None:
    if not all(splits_evenly(facts, size) for size in sizes):
        return
    few, many = (setup.spread(size, 1) for size in sizes)
    for needed in (weight_bytes_per_gpu, activation_bytes, graph_bytes):
        assert needed(facts, many) <= needed(facts, few)
    length = setup.context_tokens or 16
    assert request_bytes_per_gpu(facts, many, length, 2048) <= request_bytes_per_gpu(facts, few, length, 2048)
    more = fit(facts, many).parts.total_bytes - fit(facts, few).parts.total_bytes
    assert more <= COSTS[setup.engine].collective_bytes


@given(models(), setups())
def test_the_smallest_spread_fits_and_no_smaller_one_does(facts: Facts, setup: Setup) -> None:
    fewest = smallest_spread(facts, setup)
    tried = list(spreads(facts, setup))
    assert [one.gpus for one in tried] == sorted({one.gpus for one in tried})
    for one in tried:
        if fewest is None or one.gpus < fewest.setup.gpus:
            assert not fit(facts, one).fits
    if fewest is not None:
        assert fewest.fits


@given(models(), setups())
def test_the_longest_context_fits(facts: Facts, setup: Setup) -> None:
    longest = longest_context(facts, setup)
    if longest is not None:
        found = fit(facts, replace(setup, context_tokens=longest))
        assert found.left_bytes is not None
        assert found.left_bytes >= 0


@given(models(), setups(), st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2]))
def test_the_flags_say_what_the_setup_says(facts: Facts, setup: Setup, size: int, stages: int) -> None:
    chosen = replace(setup.spread(size, stages), engine=EngineName.VLLM)
    words = flags(fit(facts, chosen))
    given_flags = dict(zip(words[::2], words[1::2], strict=True))
    assert int(given_flags["--max-model-len"]) == chosen.context_tokens
    assert int(given_flags.get("--tensor-parallel-size", "1")) == size
    assert int(given_flags.get("--pipeline-parallel-size", "1")) == stages
    assert round(100 * float(given_flags["--gpu-memory-utilization"])) == chosen.gpu_memory_percent
    assert given_flags.get("--kv-cache-dtype", "auto") == chosen.cache_type


@pytest.mark.parametrize("engine", FLAGS_NO_FIELD)
def test_flags_go_by_the_names_that_the_manifest_fields_stand_for(engine: str) -> None:
    setup = Setup(H100, EngineName(engine), 2, 2, 8192, 16)
    names = [word.replace("_", "-") for word in flags(fit(LLAMA_8B, setup)) if word.startswith("--")]
    assert set(names) <= set(FLAGS_NO_FIELD[engine])


def test_every_engine_has_a_cost() -> None:
    assert set(COSTS) == set(EngineName)


def test_the_largest_models_are_judged_too() -> None:
    fewest = smallest_spread(DEEPSEEK_V3, Setup(gpu_named("h200"), context_tokens=32_768))
    assert fewest is not None
    assert fewest.setup.gpus == 8
