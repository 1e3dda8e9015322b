"""Bytes of weights and of KV cache, against figures that were derived by hand or are known from the field."""

from dataclasses import replace
from pathlib import Path

import pytest

from stoker.api.v1alpha1.engine import EngineName
from stoker.core.fit.cache import request_bytes_per_gpu, token_bytes, token_bytes_per_gpu
from stoker.core.fit.gpu import Gpu, gpu_named
from stoker.core.fit.remedies import smallest_spread
from stoker.core.fit.setup import CacheType, Setup
from stoker.core.fit.weights import weight_bytes_per_gpu
from stoker_runtime.facts import Facts
from stoker_runtime.inspect.configuration import read_configuration
from stoker_runtime.inspect.parameters import parameters_of
from stoker_runtime.inspect.tensor_facts import Beside, tensor_facts
from tests.unit.fit.models import (
    DEEPSEEK_V3,
    FALCON_7B,
    GEMMA3_27B,
    HYBRID,
    LLAMA2_7B,
    LLAMA_8B,
    LLAMA_70B,
    LLAMA_405B,
    QWEN_7B,
    TINY,
    in_four_bits,
)
from tests.unit.inspect.made import MODELS, config

ONE = Setup(Gpu("any", None))
STEP_TOKENS = 2048


@pytest.mark.parametrize(("facts", "gigabytes"), [(LLAMA_8B, 19.2), (LLAMA_70B, 168.0)])
def test_weights_and_a_fifth_are_what_the_rule_of_thumb_says(facts: Facts, gigabytes: float) -> None:
    assert facts.weight_bytes * 1.2 / 1e9 == pytest.approx(gigabytes, rel=0.01)


def test_seven_billion_parameters_in_four_bits_are_about_four_gigabytes() -> None:
    assert in_four_bits(LLAMA2_7B).weight_bytes / 1e9 == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize(
    ("facts", "size_bytes"),
    [
        (LLAMA_8B, 32 * 8 * (128 + 128) * 2),  # 131,072
        (LLAMA_70B, 80 * 8 * (128 + 128) * 2),  # 327,680
        (LLAMA2_7B, 32 * 32 * (128 + 128) * 2),  # 524,288
        (FALCON_7B, 32 * 1 * (64 + 64) * 2),  # 8,192
        (DEEPSEEK_V3, 70_272),
        (GEMMA3_27B, 62 * 16 * (128 + 128) * 2),  # 507,904, while no window is full
        (HYBRID, 4 * 8 * (64 + 64) * 2),  # 8,192: a state does not grow
    ],
)
def test_a_token_takes_what_its_layers_keep_of_it(facts: Facts, size_bytes: int) -> None:
    assert token_bytes(facts) == size_bytes
    assert token_bytes_per_gpu(facts, ONE) == size_bytes


def test_key_and_value_heads_are_dealt_out() -> None:
    assert token_bytes_per_gpu(LLAMA_70B, ONE.spread(8, 1)) == 327_680 // 8


def test_fewer_key_and_value_heads_than_ranks_are_repeated() -> None:
    one_head = 24 * 1 * (64 + 64) * 2
    assert token_bytes_per_gpu(TINY, ONE.spread(2, 1)) == one_head
    assert token_bytes_per_gpu(TINY, ONE.spread(14, 1)) == one_head
    assert token_bytes_per_gpu(replace(FALCON_7B, attention_heads=64), ONE.spread(8, 1)) == 8192


def test_the_latent_vector_is_the_same_on_every_rank() -> None:
    assert token_bytes_per_gpu(DEEPSEEK_V3, ONE.spread(8, 1)) == 70_272


def test_stages_keep_only_what_their_layers_do() -> None:
    assert token_bytes_per_gpu(LLAMA_70B, ONE.spread(1, 4)) == 327_680 // 4
    assert token_bytes_per_gpu(DEEPSEEK_V3, ONE.spread(1, 2)) == 31 * 576 * 2  # 61 layers: one stage has 31


def test_eight_bits_halve_the_cache() -> None:
    assert token_bytes(LLAMA_8B, CacheType.FP8) == 65_536
    assert token_bytes_per_gpu(LLAMA_8B, replace(ONE, cache_type=CacheType.FP8)) == 65_536


def test_llama_cpp_keeps_scales_beside_its_eight_bits() -> None:
    setup = replace(ONE, engine=EngineName.LLAMACPP, cache_type=CacheType.FP8)
    assert 65_536 * 17 / 16 <= token_bytes_per_gpu(LLAMA_8B, setup) <= 65_536 * 9 / 8


def test_a_request_takes_whole_blocks() -> None:
    assert request_bytes_per_gpu(LLAMA_8B, ONE, 17, STEP_TOKENS) == 32 * 131_072
    assert request_bytes_per_gpu(LLAMA_8B, ONE, 8192, STEP_TOKENS) == 8192 * 131_072


def test_layers_with_a_window_keep_no_more_than_it_and_a_step() -> None:
    layer = 16 * 256 * 2
    window = (1024 - 1 + STEP_TOKENS + 1) + 16  # already whole blocks, and one more
    assert request_bytes_per_gpu(GEMMA3_27B, ONE, 131_072, STEP_TOKENS) == layer * (10 * 131_072 + 52 * window)
    assert request_bytes_per_gpu(GEMMA3_27B, ONE, 1024, STEP_TOKENS) == layer * (10 * 1024 + 52 * (1024 + 16))


def test_an_engine_that_knows_no_windows_keeps_everything() -> None:
    setup = replace(ONE, engine=EngineName.TGI)
    assert request_bytes_per_gpu(GEMMA3_27B, setup, 131_072, STEP_TOKENS) == 131_072 * 507_904


def test_a_state_costs_the_same_at_any_length() -> None:
    state = 44 * 500_000 * 4
    assert request_bytes_per_gpu(HYBRID, ONE, 16, STEP_TOKENS) == state + 16 * 8192
    assert request_bytes_per_gpu(HYBRID, ONE, 65_536, STEP_TOKENS) == state + 65_536 * 8192


@pytest.mark.parametrize("facts", [LLAMA_8B, FALCON_7B, DEEPSEEK_V3, HYBRID])
def test_one_gpu_has_all_weights(facts: Facts) -> None:
    assert weight_bytes_per_gpu(facts, ONE) == facts.weight_bytes


def test_ranks_share_all_but_the_norms() -> None:
    norms = 80 * 2 * 8192 * 2
    assert weight_bytes_per_gpu(LLAMA_70B, ONE.spread(4, 1)) == (LLAMA_70B.weight_bytes - norms) // 4 + norms


def test_repeated_heads_weigh_on_every_rank() -> None:
    shared = QWEN_7B.weight_bytes // 4
    more_ranks = weight_bytes_per_gpu(replace(QWEN_7B, attention_heads=32), ONE.spread(8, 1))
    heads = 28 * 3584 * 256 * 2 * 0.5  # half of each of the four heads is a repetition
    norms = 28 * 2 * 3584 * 2
    assert more_ranks == pytest.approx((QWEN_7B.weight_bytes - norms) / 8 + norms + heads, abs=2)
    assert more_ranks < shared


def test_the_fullest_stage_has_the_odd_layer_and_one_end() -> None:
    body = TINY.weight_bytes - TINY.embedding_bytes
    assert weight_bytes_per_gpu(TINY, ONE.spread(1, 5)) == pytest.approx(TINY.embedding_bytes + body * 5 / 24, abs=1)
    untied = LLAMA_8B.weight_bytes - LLAMA_8B.embedding_bytes
    assert weight_bytes_per_gpu(LLAMA_8B, ONE.spread(1, 2)) == (LLAMA_8B.embedding_bytes + untied) // 2


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (LLAMA_8B, "llama-3.1-8b"),
        (LLAMA_70B, "llama-3.1-70b"),
        (LLAMA_405B, "llama-3.1-405b"),
        (QWEN_7B, "qwen2.5-7b"),
        (FALCON_7B, "falcon-7b"),
        (DEEPSEEK_V3, "deepseek-v3"),
        (GEMMA3_27B, "gemma-3-27b"),
    ],
)
def test_the_models_of_these_tests_are_those_that_were_published(facts: Facts, name: str) -> None:
    published = tensor_facts(read_configuration(config(name)), ())
    assert set(facts.groups) == set(published.groups)
    same = ("layers", "hidden_size", "intermediate_size", "attention_heads", "vocabulary", "experts", "multimodal")
    assert {field: getattr(facts, field) for field in same} == {field: getattr(published, field) for field in same}
    assert facts.parameters == pytest.approx(published.parameters, rel=0.02)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_model_can_be_judged(path: Path) -> None:
    configuration = read_configuration(config(path.stem))
    stored = 2 * parameters_of(configuration).total
    facts = tensor_facts(configuration, (), Beside(stored_bytes=stored))
    found = smallest_spread(facts, Setup(gpu_named("b200")))
    assert found is not None
    assert found.parts.weights_bytes * found.setup.gpus >= stored
