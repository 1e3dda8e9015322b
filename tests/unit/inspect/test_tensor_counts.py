"""Parameters out of the shapes of tensors, however they are packed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stoker_runtime.facts import Attention, Facts, LayerGroup
from stoker_runtime.inspect.configuration import read_configuration
from stoker_runtime.inspect.inspection import inspect
from stoker_runtime.inspect.parameters import parameters_of
from stoker_runtime.inspect.reading import FolderReading
from tests.unit.inspect.made import (
    Shape,
    awq,
    bnb_4bit,
    compressed_int4,
    config,
    fp8,
    gptq,
    linears,
    llama_tensors,
    nvfp4,
    packed,
    write_model,
)

LLAMA = 8_030_261_248
BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
INT4 = {
    "quant_method": "compressed-tensors",
    "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}}},
}


def found(folder: Path, value: dict[str, Any], tensors: list[Shape]) -> Facts:
    return inspect(FolderReading.of(write_model(folder, value, tensors)))


def test_a_dense_model_has_the_elements_of_its_tensors(tmp_path: Path) -> None:
    value = config("llama-3.1-8b")
    facts = found(tmp_path, value, llama_tensors(value))
    assert (facts.parameters, facts.active_parameters) == (LLAMA, LLAMA)
    assert facts.weight_bytes == 2 * LLAMA
    assert facts.embedding_bytes == 2 * 2 * 128_256 * 4096
    assert facts.bytes_by_dtype == {"BF16": 2 * LLAMA}
    assert facts.groups == (LayerGroup(32, Attention.FULL, 8, 128, 128),)
    assert (facts.dtype, facts.quantization, facts.layers) == ("bfloat16", None, 32)


def test_a_tied_head_is_counted_once_whether_it_is_stored_or_not(tmp_path: Path) -> None:
    value = config("llama-3.2-1b")
    tensors = llama_tensors(value)
    once = found(tmp_path / "once", value, tensors)
    twice = found(tmp_path / "twice", value, [*tensors, ("lm_head.weight", "BF16", (128_256, 2048))])
    assert once.parameters == twice.parameters == 1_235_814_400
    assert twice.weight_bytes - once.weight_bytes == once.embedding_bytes == 2 * 128_256 * 2048


@pytest.mark.parametrize(
    ("pack", "quantization", "name"),
    [
        (gptq, {"quant_method": "gptq", "bits": 4}, "gptq"),
        (awq, {"quant_method": "awq", "bits": 4}, "awq"),
        (fp8, {"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8"),
        (bnb_4bit, BNB, "bnb-4bit"),
        (compressed_int4, INT4, "int4"),
        (nvfp4, {"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
    ],
)
def test_packed_weights_are_counted_as_the_model_has_them(
    tmp_path: Path, pack: Callable[[str, int, int], list[Shape]], quantization: dict[str, Any], name: str
) -> None:
    value = config("llama-3.1-8b", quantization_config=quantization)
    facts = found(tmp_path, value, packed(value, pack))
    assert (facts.parameters, facts.quantization) == (LLAMA, name)
    # Seven of the eight billion are packed; embeddings and norms are not.
    assert facts.weight_bytes < (0.6 if name == "fp8" else 0.4) * 2 * LLAMA


def test_eight_bits_of_gptq_are_four_weights_an_element(tmp_path: Path) -> None:
    value = config("llama-3.1-8b", quantization_config={"quant_method": "gptq", "bits": 8})
    wide = packed(value, lambda name, out, into: [(f"{name}.qweight", "I32", (into // 4, out))])
    assert found(tmp_path, value, wide).parameters == LLAMA


def mixtral_tensors(value: dict[str, Any]) -> list[Shape]:
    """As a dense model of the same sizes, with experts instead of its inner layers."""
    hidden, inner = value["hidden_size"], value["intermediate_size"]
    made = [tensor for tensor in llama_tensors(value) if ".mlp." not in tensor[0]]
    for layer in range(value["num_hidden_layers"]):
        place = f"model.layers.{layer}.block_sparse_moe"
        made.append((f"{place}.gate.weight", "BF16", (value["num_local_experts"], hidden)))
        for expert in range(value["num_local_experts"]):
            made += [(f"{place}.experts.{expert}.{name}.weight", "BF16", (inner, hidden)) for name in ("w1", "w3")]
            made.append((f"{place}.experts.{expert}.w2.weight", "BF16", (hidden, inner)))
    return made


def test_a_token_passes_through_the_experts_that_it_chooses(tmp_path: Path) -> None:
    value = config("mixtral-8x7b")
    facts = found(tmp_path, value, mixtral_tensors(value))
    assert (facts.parameters, facts.active_parameters) == (46_702_792_704, 12_879_925_248)
    assert (facts.experts, facts.intermediate_size) == (8, 2 * 14_336)


def latent_tensors(value: dict[str, Any], dtype: str = "BF16") -> list[Shape]:
    """DeepSeek: queries and keys of low rank, a dense layer or more, then routed and shared experts."""
    hidden, heads, rank = value["hidden_size"], value["num_attention_heads"], value["kv_lora_rank"]
    nope, rotary, size = value["qk_nope_head_dim"], value["qk_rope_head_dim"], value["v_head_dim"]
    made: list[Shape] = [("model.embed_tokens.weight", "BF16", (value["vocab_size"], hidden))]
    for layer in range(value["num_hidden_layers"]):
        place = f"model.layers.{layer}"
        made += [
            (f"{place}.self_attn.q_proj.weight", dtype, (heads * (nope + rotary), hidden)),
            (f"{place}.self_attn.kv_a_proj_with_mqa.weight", dtype, (rank + rotary, hidden)),
            (f"{place}.self_attn.kv_a_layernorm.weight", "BF16", (rank,)),
            (f"{place}.self_attn.kv_b_proj.weight", dtype, (heads * (nope + size), rank)),
            (f"{place}.self_attn.o_proj.weight", dtype, (hidden, heads * size)),
        ]
        made += [
            (f"{place}.{norm}.weight", "BF16", (hidden,)) for norm in ("input_layernorm", "post_attention_layernorm")
        ]
        inner = value["moe_intermediate_size"]
        if layer < value["first_k_dense_replace"]:
            made += gated(f"{place}.mlp", hidden, value["intermediate_size"], dtype)
            continue
        made.append((f"{place}.mlp.gate.weight", "BF16", (value["n_routed_experts"], hidden)))
        made += gated(f"{place}.mlp.shared_experts", hidden, value["n_shared_experts"] * inner, dtype)
        for expert in range(value["n_routed_experts"]):
            made += gated(f"{place}.mlp.experts.{expert}", hidden, inner, dtype)
    return [*made, ("model.norm.weight", "BF16", (hidden,)), ("lm_head.weight", "BF16", (value["vocab_size"], hidden))]


def gated(place: str, hidden: int, inner: int, dtype: str) -> list[Shape]:
    shapes = {"gate_proj": (inner, hidden), "up_proj": (inner, hidden), "down_proj": (hidden, inner)}
    return [(f"{place}.{name}.weight", dtype, shape) for name, shape in shapes.items()]


def test_latent_attention_and_shared_experts_are_counted(tmp_path: Path) -> None:
    value = config("deepseek-v2-lite")
    facts = found(tmp_path, value, latent_tensors(value))
    assert facts.parameters == 15_706_484_224
    assert facts.groups == (LayerGroup(27, Attention.LATENT, key_size=576),)
    # 26 layers leave 58 of 64 experts out: 26 * 58 * 3 * 2048 * 1408
    assert facts.active_parameters == 15_706_484_224 - 26 * 58 * 3 * 2048 * 1408
    assert facts.custom_code


def test_layers_that_guess_ahead_are_stored_and_not_part_of_the_model(tmp_path: Path) -> None:
    value = config("deepseek-v2-lite", num_nextn_predict_layers=1)
    ahead = [("model.layers.27.eh_proj.weight", "BF16", (2048, 4096)), *gated("model.layers.27.mlp", 2048, 64, "BF16")]
    facts = found(tmp_path, value, latent_tensors(value) + ahead)
    assert facts.parameters == 15_706_484_224
    assert facts.weight_bytes == 2 * (15_706_484_224 + 2048 * 4096 + 3 * 2048 * 64)


def test_blocks_of_four_bit_floats_are_two_weights_a_byte(tmp_path: Path) -> None:
    value = config("gpt-oss-20b", num_hidden_layers=1, layer_types=["full_attention"])
    place = "model.layers.0.mlp.experts"
    tensors: list[Shape] = [
        ("model.embed_tokens.weight", "BF16", (201_088, 2880)),
        (f"{place}.gate_up_proj_blocks", "U8", (32, 5760, 90, 16)),
        (f"{place}.gate_up_proj_scales", "U8", (32, 5760, 90)),
        (f"{place}.gate_up_proj_bias", "BF16", (32, 5760)),
    ]
    facts = found(tmp_path, value, tensors)
    experts = 32 * 5760 * 2880 + 32 * 5760
    assert facts.parameters == 201_088 * 2880 + experts
    assert facts.active_parameters == 201_088 * 2880 + experts * 4 // 32
    assert facts.dtype == "bfloat16"


def test_the_towers_that_see_and_hear_have_layers_of_their_own(tmp_path: Path) -> None:
    value = config("qwen2.5-vl-7b", num_hidden_layers=1, num_nextn_predict_layers=1)
    tensors: list[Shape] = [
        ("visual.blocks.1.attn.qkv.weight", "BF16", (3840, 1280)),
        ("model.layers.0.mlp.up_proj.weight", "BF16", (64, 64)),
    ]
    facts = found(tmp_path, value, tensors)
    assert (facts.parameters, facts.multimodal) == (3840 * 1280 + 64 * 64, True)


@pytest.mark.parametrize(
    "name", ["llama-3.1-8b", "llama-3.1-70b", "qwen3-8b", "mistral-7b-v0.3", "falcon3-7b", "smollm2-135m"]
)
def test_configuration_and_tensors_agree(tmp_path: Path, name: str) -> None:
    value = config(name)
    by_tensors = found(tmp_path, value, llama_tensors(value)).parameters
    assert parameters_of(read_configuration(value)).total == pytest.approx(by_tensors, rel=0.01)


def test_packing_that_does_not_tell_its_bits_is_counted_by_the_configuration(tmp_path: Path) -> None:
    value = config("llama-3.1-8b", quantization_config={"quant_method": "exl2", "bits": 4.65})
    name, (out, into) = linears(value, 0)[0]
    facts = found(tmp_path, value, [(name.replace("weight", "q_weight"), "I32", (into // 8, out))])
    assert (facts.parameters, facts.weight_bytes) == (LLAMA, 4 * into // 8 * out)
