"""Configurations that say little, or something odd."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.facts import Attention, LayerGroup, Task
from stoker_runtime.failure import WeightsError
from stoker_runtime.inspect.configuration import Configuration, read_configuration
from stoker_runtime.inspect.parameters import parameters_of
from tests.unit.inspect.made import config, only_refusals

PLAIN: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 100,
    "max_position_embeddings": 1000,
}


def plain(**changes: Any) -> Configuration:
    return read_configuration({**PLAIN, **changes})


def compressed(**weights: Any) -> dict[str, Any]:
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": weights}}}


def test_heads_that_are_not_shared_are_all_kept() -> None:
    assert plain(num_key_value_heads=None).groups == (LayerGroup(8, Attention.FULL, 8, 8, 8),)


@pytest.mark.parametrize("field", ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"])
@pytest.mark.parametrize("value", [None, 0])
def test_a_missing_field_is_named(field: str, value: object) -> None:
    with pytest.raises(WeightsError, match=f"config.json: {field} is missing"):
        plain(**{field: value})


@pytest.mark.parametrize("value", ["32", -1, 1.5, [32], {"a": 1}, True, 1 << 80])
def test_a_field_of_another_kind_is_named_with_what_was_found(value: object) -> None:
    with pytest.raises(WeightsError, match="num_hidden_layers must be a whole number"):
        plain(num_hidden_layers=value)


def test_a_number_of_layers_beyond_reason_is_refused() -> None:
    with pytest.raises(WeightsError, match="num_hidden_layers"):
        plain(num_hidden_layers=10**9)


def test_more_experts_per_token_than_there_are_is_refused() -> None:
    with pytest.raises(WeightsError, match="num_experts_per_tok"):
        plain(num_experts=4, num_experts_per_tok=8)


def test_a_window_as_long_as_the_context_is_none() -> None:
    assert plain(model_type="mistral", sliding_window=1000).groups[0].attention is Attention.FULL
    assert plain(model_type="mistral", sliding_window=999).groups[0].window_tokens == 999


def test_a_window_that_is_switched_off_is_none() -> None:
    assert plain(model_type="qwen2", sliding_window=64, use_sliding_window=False).groups[0].attention is Attention.FULL
    some = plain(model_type="qwen2", sliding_window=64, use_sliding_window=True, max_window_layers=6)
    assert {group.attention: group.count for group in some.groups} == {Attention.FULL: 6, Attention.SLIDING: 2}


def test_an_unknown_kind_of_layer_counts_as_the_one_that_keeps_most() -> None:
    assert plain(layer_types=["invented_attention"] * 8).groups == (LayerGroup(8, Attention.FULL, 2, 8, 8),)


def test_layers_that_read_what_others_keep_keep_nothing() -> None:
    assert plain(num_kv_shared_layers=3).groups == (LayerGroup(5, Attention.FULL, 2, 8, 8),)


def test_one_layer_in_a_period_attends() -> None:
    found = plain(model_type="jamba", attn_layer_period=4, attn_layer_offset=2, num_experts=None)
    assert {group.attention: group.count for group in found.groups} == {Attention.STATE: 6, Attention.FULL: 2}


def test_a_layer_may_attend_and_keep_a_state() -> None:
    found = plain(model_type="falcon_h1", mamba_n_heads=8, mamba_d_head=16, mamba_d_state=32, mamba_n_groups=1)
    state = 8 * 16 * 32 + (8 * 16 + 2 * 32) * 3
    assert set(found.groups) == {
        LayerGroup(8, Attention.STATE, state_elements=state),
        LayerGroup(8, Attention.FULL, 2, 8, 8),
    }


def test_a_model_of_states_needs_no_heads() -> None:
    found = plain(model_type="mamba", num_attention_heads=None, intermediate_size=128, state_size=16, conv_kernel=4)
    assert found.groups == (LayerGroup(8, Attention.STATE, state_elements=128 * 16 + 128 * 3),)
    assert found.attention_heads == 0


def test_layers_may_differ_one_by_one() -> None:
    blocks = [
        {"attention": {"no_op": True}},
        {"attention": {"n_heads_in_group": 4}},
        {"attention": {"n_heads_in_group": 8}},
    ]
    found = plain(block_configs=blocks, num_hidden_layers=3)
    assert found.groups == (LayerGroup(1, Attention.FULL, 2, 8, 8), LayerGroup(1, Attention.FULL, 1, 8, 8))


def test_sparse_attention_keeps_its_index_beside_the_vector() -> None:
    assert plain(kv_lora_rank=512, qk_rope_head_dim=64, index_head_dim=128).groups[0].key_size == 704


@pytest.mark.parametrize(
    ("scaling", "length"),
    [
        ({"type": "linear", "factor": 4.0}, 4000),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1000}, 4000),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 100}, 1000),
        ({"rope_type": "llama3", "factor": 8.0}, 1000),
        ({"type": "mrope", "mrope_section": [1, 2]}, 1000),
        ({"type": "linear", "factor": "many"}, 1000),
        ({}, 1000),
    ],
)
def test_stretched_positions_lengthen_the_context(scaling: dict[str, Any], length: int) -> None:
    assert plain(rope_scaling=scaling).context_length == length


@pytest.mark.parametrize(
    ("changes", "task"),
    [
        ({}, Task.GENERATE),
        ({"architectures": ["LlamaModel"]}, Task.EMBED),
        ({"architectures": ["GPT2LMHeadModel"]}, Task.GENERATE),
        ({"architectures": ["Qwen3ForSequenceClassification"]}, Task.CLASSIFY),
        ({"architectures": ["BertModel"], "model_type": "bert"}, Task.EMBED),
        ({"architectures": ["XLMRobertaForSequenceClassification"], "model_type": "xlm-roberta"}, Task.CLASSIFY),
        ({"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper"}, Task.SPEECH),
        ({"architectures": None}, Task.GENERATE),
    ],
)
def test_the_architecture_says_what_the_model_is_for(changes: dict[str, Any], task: Task) -> None:
    assert plain(**changes).task is task


def test_a_model_that_hears_keeps_what_it_heard() -> None:
    found = plain(
        model_type="whisper", d_model=64, decoder_layers=8, num_key_value_heads=None, max_source_positions=1500
    )
    assert LayerGroup(8, Attention.STATE, state_elements=2 * 8 * 8 * 1500) in found.groups


@pytest.mark.parametrize(
    ("quantization", "name"),
    [
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bnb-8bit"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 8, "type": "int"}}}},
            "int8",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 4, "type": "float"}}},
            },
            "nvfp4",
        ),
        ({"quant_method": "compressed-tensors", "config_groups": {}}, None),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8"),
        ({"quant_method": "fbgemm_fp8"}, "fp8"),
        ({"quant_method": "hqq"}, "hqq"),
        ({}, None),
        ("fp8", None),
    ],
)
def test_quantizations_of_all_tools_have_one_name(quantization: Any, name: str | None) -> None:
    found = plain(quantization_config=quantization).quantization
    assert (found.name if found else None) == name


def test_a_quantization_may_stand_in_a_file_of_its_own() -> None:
    separate = {
        "producer": {"name": "modelopt"},
        "quantization": {"quant_algo": "NVFP4", "exclude_modules": ["lm_head"]},
    }
    found = read_configuration(PLAIN, separate_quantization=separate).quantization
    assert found is not None
    assert (found.name, found.bits) == ("nvfp4", 4)


def test_a_part_of_a_larger_model_takes_what_its_family_takes() -> None:
    found = read_configuration({"model_type": "llava", "text_config": {"model_type": "llama"}, "vision_config": {}})
    assert (found.layers, found.hidden_size, found.multimodal) == (32, 4096, True)


def test_a_whole_model_takes_nothing_from_its_family() -> None:
    with pytest.raises(WeightsError, match="num_hidden_layers"):
        read_configuration({"model_type": "llama"})


MIXED = [PLAIN, *(config(name) for name in ("deepseek-v3", "nemotron-3-nano-30b-a3b", "gemma-3-4b", "qwen3.5-27b"))]
NAMES = st.sampled_from(sorted({name for value in MIXED for name in value}))
PLAIN_VALUES = st.none() | st.booleans() | st.integers(-2, 70) | st.floats(0, 9) | st.text(max_size=4)
VALUES = PLAIN_VALUES | st.lists(PLAIN_VALUES, max_size=3) | st.dictionaries(NAMES, PLAIN_VALUES, max_size=3)


@given(st.sampled_from(MIXED), st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_configuration_is_read_or_refused(value: dict[str, Any], changes: dict[str, Any]) -> None:
    with only_refusals():
        parameters_of(read_configuration({**value, **changes}))
