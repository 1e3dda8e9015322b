"""What the configurations of well-known models say, against what their publishers say."""

from pathlib import Path

import pytest

from stoker_runtime.facts import Attention, LayerGroup
from stoker_runtime.inspect.configuration import Configuration, read_configuration
from stoker_runtime.inspect.parameters import parameters_of
from tests.unit.inspect.made import MODELS, config

# As the model cards and the hub's own counts of tensors state them.
PARAMETERS = {
    "bert-base": 109_482_240,
    "bge-m3": 567_754_752,
    "deepseek-v2-lite": 15_706_484_224,
    "deepseek-v3": 671_026_419_200,
    "falcon-7b": 6_921_720_704,
    "falcon3-7b": 7_455_550_464,
    "gemma-2-9b": 9_241_705_984,
    "gemma-3-27b": 27_432_406_640,
    "gemma-3-4b": 4_300_079_472,
    "gpt-oss-120b": 116_829_156_672,
    "gpt-oss-20b": 20_914_757_184,
    "granite-4.0-h-small": 32_200_000_000,
    "kimi-k2": 1_026_000_000_000,
    "llama-3.1-405b": 405_853_388_800,
    "llama-3.1-70b": 70_553_706_496,
    "llama-3.1-8b": 8_030_261_248,
    "llama-3.1-8b-awq-int4": 8_030_261_248,
    "llama-3.1-8b-fp8": 8_030_261_248,
    "llama-3.1-8b-gptq-int4": 8_030_261_248,
    "llama-3.2-1b": 1_235_814_400,
    "mimo-v2-flash": 309_000_000_000,
    "mistral-7b-v0.1": 7_241_732_096,
    "mistral-7b-v0.3": 7_248_023_552,
    "mixtral-8x22b": 140_620_634_112,
    "mixtral-8x7b": 46_702_792_704,
    "nemotron-3-nano-30b-a3b": 31_600_000_000,
    "nemotron-3-super-120b-a12b-fp8": 120_000_000_000,
    "phi-3.5-mini": 3_821_079_552,
    "phi-4": 14_659_507_200,
    "qwen2.5-72b": 72_706_203_648,
    "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-vl-7b": 8_292_166_656,
    "qwen3-0.6b": 596_049_920,
    "qwen3-235b-a22b": 235_093_634_560,
    "qwen3-30b-a3b": 30_532_122_624,
    "qwen3-32b": 32_762_123_264,
    "qwen3-32b-fp8": 32_762_123_264,
    "qwen3-8b": 8_190_735_360,
    "qwen3-coder-480b-a35b": 480_154_875_392,
    "qwen3-vl-8b": 8_767_123_696,
    "smollm2-135m": 134_515_008,
}
# Rounded as their publishers round them.
ACTIVE = {
    "deepseek-v3": (37e9, 0.02),
    "granite-4.0-h-small": (9e9, 0.03),
    "kimi-k2": (32e9, 0.03),
    "mixtral-8x7b": (12.9e9, 0.01),
    "qwen3-235b-a22b": (22e9, 0.01),
    "qwen3-30b-a3b": (3.3e9, 0.02),
    "qwen3-coder-480b-a35b": (35e9, 0.02),
    # These leave the token embedding out, 201,088 * 2880 weights: one token reads one row of it.
    "gpt-oss-120b": (5.13e9 + 201_088 * 2880, 0.01),
    "gpt-oss-20b": (3.61e9 + 201_088 * 2880, 0.01),
}
# In 16 bits, while no window is full: layers * kv heads * (key + value) * 2 bytes.
KV_BYTES = {
    "deepseek-v2-lite": 27 * (512 + 64) * 2,  # 31104: one vector for all heads, no values
    "deepseek-v3": 61 * (512 + 64) * 2,  # 70272
    "falcon-7b": 32 * 1 * (64 + 64) * 2,  # 8192: one head for all queries
    "falcon3-7b": 28 * 4 * (256 + 256) * 2,  # 114688
    "gemma-2-9b": (21 + 21) * 8 * (256 + 256) * 2,  # 344064
    "gemma-3-27b": (52 + 10) * 16 * (128 + 128) * 2,  # 507904
    "gemma-3-4b": (29 + 5) * 4 * (256 + 256) * 2,  # 139264
    "gpt-oss-120b": (18 + 18) * 8 * (64 + 64) * 2,  # 73728
    "gpt-oss-20b": (12 + 12) * 8 * (64 + 64) * 2,  # 49152
    "granite-4.0-h-small": 4 * 8 * (128 + 128) * 2,  # 16384: the other 36 layers keep a state
    "kimi-k2": 61 * (512 + 64) * 2,  # 70272
    "llama-3.1-405b": 126 * 8 * (128 + 128) * 2,  # 516096
    "llama-3.1-70b": 80 * 8 * (128 + 128) * 2,  # 327680
    "llama-3.1-8b": 32 * 8 * (128 + 128) * 2,  # 131072
    "llama-3.2-1b": 16 * 8 * (64 + 64) * 2,  # 32768
    "llama-4-scout": (36 + 12) * 8 * (128 + 128) * 2,  # 196608
    "mimo-v2-flash": 36 * 8 * (192 + 128) * 2 + 12 * 4 * (192 + 128) * 2,  # 215040: windows have more heads
    "mistral-7b-v0.1": 32 * 8 * (128 + 128) * 2,  # 131072
    "mistral-7b-v0.3": 32 * 8 * (128 + 128) * 2,  # 131072
    "mixtral-8x7b": 32 * 8 * (128 + 128) * 2,  # 131072
    "nemotron-3-nano-30b-a3b": 6 * 2 * (128 + 128) * 2,  # 6144: 6 of 52 layers attend
    "nemotron-3-super-120b-a12b-fp8": 8 * 2 * (128 + 128) * 2,  # 8192: 8 of 88 layers attend
    "nemotron-h-56b": 10 * 8 * (128 + 128) * 2,  # 40960: 10 of 118 layers attend
    "phi-3.5-mini": 32 * 32 * (96 + 96) * 2,  # 393216
    "phi-4": 40 * 10 * (128 + 128) * 2,  # 204800
    "qwen2.5-72b": 80 * 8 * (128 + 128) * 2,  # 327680
    "qwen2.5-7b": 28 * 4 * (128 + 128) * 2,  # 57344
    "qwen2.5-vl-7b": 28 * 4 * (128 + 128) * 2,  # 57344
    "qwen3-0.6b": 28 * 8 * (128 + 128) * 2,  # 114688
    "qwen3-235b-a22b": 94 * 4 * (128 + 128) * 2,  # 192512
    "qwen3-30b-a3b": 48 * 4 * (128 + 128) * 2,  # 98304
    "qwen3-32b": 64 * 8 * (128 + 128) * 2,  # 262144
    "qwen3-8b": 36 * 8 * (128 + 128) * 2,  # 147456
    "qwen3.5-27b": 16 * 4 * (256 + 256) * 2,  # 65536: every fourth of 64 layers attends
    "qwen3.5-35b-a3b": 10 * 2 * (256 + 256) * 2,  # 20480
    "smollm2-135m": 30 * 3 * (64 + 64) * 2,  # 23040
}


def read(name: str) -> Configuration:
    return read_configuration(config(name))


def kv_bytes_per_token(groups: tuple[LayerGroup, ...]) -> int:
    return sum(
        2 * group.count * (max(group.kv_heads, 1) * (group.key_size + group.value_size))
        for group in groups
        if group.attention is not Attention.STATE
    )


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_parameters_are_as_published(name: str) -> None:
    assert parameters_of(read(name)).total == pytest.approx(PARAMETERS[name], rel=0.01)


@pytest.mark.parametrize("name", sorted(ACTIVE))
def test_active_parameters_are_as_published(name: str) -> None:
    published, tolerance = ACTIVE[name]
    assert parameters_of(read(name)).active == pytest.approx(published, rel=tolerance)


@pytest.mark.parametrize("name", sorted(KV_BYTES))
def test_a_token_takes_what_its_layers_keep(name: str) -> None:
    assert kv_bytes_per_token(read(name).groups) == KV_BYTES[name]


@pytest.mark.parametrize("path", sorted(MODELS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_configuration_is_read(path: Path) -> None:
    found = read(path.stem)
    assert min(found.layers, found.hidden_size, found.vocabulary, found.intermediate_size) > 0
    assert sum(group.count for group in found.groups) <= found.layers


@pytest.mark.parametrize(
    ("name", "window", "sliding", "full"),
    [
        ("gemma-2-9b", 4096, 21, 21),  # every second layer
        ("gemma-3-27b", 1024, 52, 10),  # five of six, and two more
        ("gemma-3-4b", 1024, 29, 5),
        ("gpt-oss-20b", 128, 12, 12),
        ("llama-4-scout", 8192, 36, 12),  # three of four attend to chunks
        ("mistral-7b-v0.1", 4096, 32, 0),
    ],
)
def test_layers_with_a_window_are_told_from_those_without(name: str, window: int, sliding: int, full: int) -> None:
    groups = read(name).groups
    assert {group.window_tokens for group in groups if group.attention is Attention.SLIDING} == {window}
    assert sum(group.count for group in groups if group.attention is Attention.SLIDING) == sliding
    assert sum(group.count for group in groups if group.attention is Attention.FULL) == full


@pytest.mark.parametrize(
    ("name", "count", "elements"),
    [
        # heads * head size * state + (heads * head size + 2 * groups * state) * (kernel - 1)
        ("granite-4.0-h-small", 36, 128 * 64 * 128 + (128 * 64 + 2 * 1 * 128) * 3),
        ("nemotron-h-56b", 54, 256 * 64 * 256 + (256 * 64 + 2 * 8 * 256) * 3),
        ("nemotron-3-nano-30b-a3b", 23, 64 * 64 * 128 + (64 * 64 + 2 * 8 * 128) * 3),
        # value heads * key size * value size + (2 * keys + values) * (kernel - 1)
        ("qwen3.5-27b", 48, 48 * 128 * 128 + (2 * 16 * 128 + 48 * 128) * 3),
    ],
)
def test_layers_with_a_state_keep_the_same_however_long_the_text(name: str, count: int, elements: int) -> None:
    states = [group for group in read(name).groups if group.attention is Attention.STATE]
    assert [(group.count, group.state_elements) for group in states] == [(count, elements)]


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("deepseek-v3", "fp8"),
        ("gpt-oss-20b", "mxfp4"),
        ("llama-3.1-8b", None),
        ("llama-3.1-8b-awq-int4", "awq"),
        ("llama-3.1-8b-fp8", "fp8"),
        ("llama-3.1-8b-gptq-int4", "gptq"),
        ("qwen3-32b-fp8", "fp8"),
    ],
)
def test_a_quantization_has_one_name_whatever_tool_wrote_it(name: str, quantization: str | None) -> None:
    found = read(name).quantization
    assert (found.name if found else None) == quantization


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("bge-m3", 8192),  # 8194 positions, of which two are not for text
        ("deepseek-v3", 163_840),
        ("falcon-7b", 2048),  # of its class: the file says nothing
        ("gemma-3-27b", 131_072),  # a factor of 8 that is in the length already
        ("gpt-oss-20b", 131_072),  # 4096 * 32
        ("llama-3.1-8b", 131_072),
        ("phi-3.5-mini", 131_072),
        ("qwen3-8b", 40_960),
    ],
)
def test_the_context_length_is_the_one_that_engines_take(name: str, length: int) -> None:
    assert read(name).context_length == length
