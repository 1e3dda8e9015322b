"""What is proposed to whom a model does not fit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.api.v1alpha1.engine import EngineName
from stoker.core.fit.fit import Verdict, fit
from stoker.core.fit.gpu import Gpu, gpu_named
from stoker.core.fit.quantized import FP8, INT4, quantized
from stoker.core.fit.remedies import Change, Remedy, remedies
from stoker.core.fit.sentence import sentence
from stoker.core.fit.setup import CacheType, Setup
from stoker_runtime.facts import Facts
from tests.unit.fit.models import DEEPSEEK_V3, FALCON_7B, LLAMA_8B, LLAMA_70B, QWEN_7B, in_four_bits
from tests.unit.fit.test_fit import models, setups

L4, H100, T4 = gpu_named("l4"), gpu_named("h100"), gpu_named("t4")


def proposed(facts: Facts, setup: Setup) -> dict[Change, Remedy]:
    found = fit(facts, setup)
    assert found.verdict is Verdict.MISFIT
    return {remedy.change: remedy for remedy in reversed(remedies(facts, found))}


@given(models(), setups())
def test_every_remedy_fits_when_it_is_tried(facts: Facts, setup: Setup) -> None:
    found = fit(facts, setup)
    if found.verdict is not Verdict.MISFIT:
        return
    for remedy in remedies(facts, found):
        lighter = next((one for one in (FP8, INT4) if one.name == remedy.quantization), None)
        tried = quantized(facts, lighter) if lighter else facts
        assert tried is not None
        assert fit(tried, replace(remedy.fit.setup, context_tokens=remedy.fit.context_tokens)).fits
        assert sentence(found, [remedy]).count(". To make it fit: ") == 1


@given(models(), setups())
def test_a_remedy_for_one_thing_changes_nothing_else(facts: Facts, setup: Setup) -> None:
    found = fit(facts, setup)
    if found.verdict is not Verdict.MISFIT:
        return
    for remedy in remedies(facts, found):
        after = remedy.fit.setup
        back = {
            Change.CONTEXT: {"context_tokens": setup.context_tokens},
            Change.GPUS: {"tensor_parallel": 1, "pipeline_parallel": 1},
            Change.PRODUCT: {"gpu": setup.gpu},
            Change.QUANTIZATION: {},
            Change.CACHE_TYPE: {"cache_type": setup.cache_type},
            Change.REQUESTS: {"full_requests": setup.full_requests, "most_requests": setup.most_requests},
            Change.SHARE: {"gpu_memory_percent": setup.gpu_memory_percent},
        }.get(remedy.change)
        if back is not None:
            assert replace(after, **back) == setup  # type: ignore[arg-type]


@pytest.mark.parametrize("facts", [LLAMA_8B, LLAMA_70B, QWEN_7B, DEEPSEEK_V3])
@pytest.mark.parametrize("gpu", [T4, L4, H100])
def test_a_misfit_of_a_usual_model_has_a_remedy(facts: Facts, gpu: Gpu) -> None:
    found = fit(facts, Setup(gpu, context_tokens=32_768))
    assert found.fits or remedies(facts, found)


def test_a_context_that_is_too_long_has_all_remedies() -> None:
    ways = proposed(LLAMA_8B, Setup(L4, context_tokens=32_768))
    found = fit(LLAMA_8B, Setup(L4, context_tokens=32_768))
    assert [way.change for way in remedies(LLAMA_8B, found)][:3] == [Change.CONTEXT, Change.GPUS, Change.QUANTIZATION]
    assert ways[Change.CONTEXT].fit.context_tokens < 32_768
    assert ways[Change.GPUS].fit.setup.tensor_parallel == 2
    assert ways[Change.QUANTIZATION].quantization == "fp8"
    assert ways[Change.PRODUCT].fit.setup.gpu.name == "NVIDIA-A100-SXM4-40GB"
    assert ways[Change.CACHE_TYPE].fit.setup.cache_type is CacheType.FP8


def test_more_requests_than_there_is_room_for_may_be_fewer() -> None:
    ways = proposed(LLAMA_8B, Setup(L4, context_tokens=8192, most_requests=8, full_requests=8))
    assert 1 <= ways[Change.REQUESTS].fit.setup.full_requests < 8


def test_an_engine_without_a_small_cache_is_not_told_to_use_one() -> None:
    setup = Setup(L4, EngineName.TENSORRT_LLM, context_tokens=32_768)
    assert Change.CACHE_TYPE not in proposed(LLAMA_8B, setup)


def test_whole_layers_are_spread_by_the_number_of_devices() -> None:
    found = fit(LLAMA_70B, Setup(H100, EngineName.LLAMACPP, context_tokens=8192))
    said = sentence(found, remedies(LLAMA_70B, found))
    assert "set accelerator.count to 2 " in said
    assert "tensorParallel" not in said


def test_what_is_quantized_already_is_not_quantized_again() -> None:
    assert quantized(in_four_bits(LLAMA_8B), FP8) is None
    assert quantized(in_four_bits(LLAMA_8B), INT4) is None
    assert quantized(DEEPSEEK_V3, FP8) is None
    assert quantized(DEEPSEEK_V3, INT4) is not None


def test_a_model_that_cannot_be_split_is_told_of_several_changes_at_last() -> None:
    """71 heads are dealt out to no two ranks."""
    huge = replace(FALCON_7B, weight_bytes=900_000_000_000, parameters=450_000_000_000, layers=1)
    found = fit(huge, Setup(T4, context_tokens=2048))
    ways = remedies(huge, found)
    assert [way.change for way in ways] in ([], [Change.SEVERAL])
    large = fit(DEEPSEEK_V3, Setup(T4, EngineName.TGI, context_tokens=8192))
    (several,) = remedies(DEEPSEEK_V3, large)
    assert several.change is Change.SEVERAL
    assert sentence(large, (several,)).endswith("To make it fit: use 8 NVIDIA-H200, set tensorParallel to 8.")


def test_the_sentence_of_a_fit_has_all_numbers() -> None:
    assert sentence(fit(LLAMA_8B, Setup(L4, context_tokens=16_384))) == (
        "Needs 18.9 GiB on each of 1 NVIDIA-L4 (22.5 GiB, 19.8 for the engine): weights 15.0, KV cache 2.0 for 1"
        " request of 16,384 tokens, activations 0.6, CUDA graphs 0.6, framework 0.8; holds 1 such request at once, 2 of"
        " half the length."
    )


def test_the_sentence_of_a_misfit_has_what_is_missing_and_three_remedies() -> None:
    found = fit(LLAMA_8B, Setup(L4, context_tokens=32_768))
    assert sentence(found, remedies(LLAMA_8B, found)) == (
        "Needs 20.9 GiB on each of 1 NVIDIA-L4 (22.5 GiB, 19.8 for the engine), 1.1 GiB too much: weights 15.0, KV"
        " cache 4.0 for 1 request of 32,768 tokens, activations 0.6, CUDA graphs 0.6, framework 0.8. To make it fit:"
        " set contextLength to 22,528; or set tensorParallel to 2 (2 GPUs, 12.1 GiB on each); or quantize the weights"
        " to fp8 (weights 8.5 GiB instead of 15.0)."
    )


def test_the_sentence_of_an_unknown_gpu_says_so() -> None:
    said = sentence(fit(LLAMA_8B, Setup(Gpu("nvidia.com/gpu", None), context_tokens=8192)))
    assert said.startswith("Needs 19.7 GiB on each of 1 nvidia.com/gpu (memory unknown): weights 15.0")


@given(st.sampled_from([LLAMA_8B, LLAMA_70B]), setups())
def test_every_sentence_is_one_that_a_condition_can_hold(facts: Facts, setup: Setup) -> None:
    found = fit(facts, setup)
    said = sentence(found, remedies(facts, found) if found.verdict is Verdict.MISFIT else ())
    assert len(said) < 1024
    assert said.endswith(".")
    assert "  " not in said
