"""Headers of GGUF: what they say, and every way in which they can be wrong."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.facts import Attention, Facts, Format, LayerGroup, Task
from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.inspect.gguf_facts import gguf_facts
from stoker_runtime.inspect.gguf_header import MOST_HEADER_BYTES, GgufHeader, Skipped, read_gguf
from tests.unit.inspect.made import gguf, only_refusals

FILE = "model-Q4_K_M.gguf"
F32, Q4_K, Q6_K = 0, 12, 14
LLAMA = {
    "general.architecture": "llama",
    "general.file_type": 15,
    "llama.block_count": 32,
    "llama.embedding_length": 4096,
    "llama.feed_forward_length": 14_336,
    "llama.attention.head_count": 32,
    "llama.attention.head_count_kv": 8,
    "llama.context_length": 131_072,
    "tokenizer.chat_template": "{{ messages }}",
    "tokenizer.ggml.tokens": [f"t{number}" for number in range(128_256)],
}


def llama_tensors() -> list[tuple[str, int, tuple[int, ...], int]]:
    """Llama 3.1 8B in Q4_K_M: half of the values and of the downs in six bits, the rest in four."""

    def matrix(name: str, kind: int, into: int, out: int) -> tuple[str, int, tuple[int, ...], int]:
        return name, kind, (into, out), into * out // 256 * {Q4_K: 144, Q6_K: 210}[kind]

    made = [matrix("token_embd.weight", Q4_K, 4096, 128_256), matrix("output.weight", Q6_K, 4096, 128_256)]
    made.append(("output_norm.weight", F32, (4096,), 4 * 4096))
    for layer in range(32):
        better = Q6_K if layer % 2 else Q4_K
        made += [
            matrix(f"blk.{layer}.attn_q.weight", Q4_K, 4096, 4096),
            matrix(f"blk.{layer}.attn_k.weight", Q4_K, 4096, 1024),
            matrix(f"blk.{layer}.attn_v.weight", better, 4096, 1024),
            matrix(f"blk.{layer}.attn_output.weight", Q4_K, 4096, 4096),
            matrix(f"blk.{layer}.ffn_gate.weight", Q4_K, 4096, 14_336),
            matrix(f"blk.{layer}.ffn_up.weight", Q4_K, 4096, 14_336),
            matrix(f"blk.{layer}.ffn_down.weight", better, 14_336, 4096),
            (f"blk.{layer}.attn_norm.weight", F32, (4096,), 4 * 4096),
            (f"blk.{layer}.ffn_norm.weight", F32, (4096,), 4 * 4096),
        ]
    return made


def read(data: bytes, file_bytes: int | None = None) -> GgufHeader:
    return read_gguf(lambda first, end: data[first:end], FILE, file_bytes)


def facts(metadata: dict[str, Any], tensors: Any = (("token_embd.weight", F32, (8, 4), 128),)) -> Facts:
    header = read(gguf(metadata, tensors)[0])
    return gguf_facts(header, FILE, header.tensors)


def small(architecture: str, **own: Any) -> dict[str, Any]:
    usual = {"block_count": 6, "embedding_length": 64, "feed_forward_length": 128, "attention.head_count": 8}
    own = {name.replace("__", "."): value for name, value in own.items()}
    return {"general.architecture": architecture} | {
        f"{architecture}.{name}": value for name, value in (usual | own).items()
    }


def test_a_model_in_four_bits_has_the_parameters_of_the_model() -> None:
    start, size = gguf(LLAMA, llama_tensors())
    header = read(start, size)
    found = gguf_facts(header, FILE, header.tensors)
    assert (found.parameters, found.active_parameters) == (8_030_261_248, 8_030_261_248)
    assert found.weight_bytes == sum(size for *_, size in llama_tensors())
    assert found.embedding_bytes == 4096 * 128_256 // 256 * (144 + 210)
    assert (found.format, found.quantization, found.architecture) == (Format.GGUF, "Q4_K_M", "llama")
    assert found.groups == (LayerGroup(32, Attention.FULL, 8, 128, 128),)
    assert (found.vocabulary, found.context_length, found.chat_template) == (128_256, 131_072, True)
    assert list(found.bytes_by_dtype) == ["Q4_K", "Q6_K", "F32"]


def test_a_vocabulary_is_counted_and_not_kept() -> None:
    assert read(gguf(LLAMA, llama_tensors())[0]).metadata["tokenizer.ggml.tokens"] == Skipped(128_256)


def test_a_short_header_is_read_in_one_part() -> None:
    start, size = gguf(small("llama"), [("a", F32, (8,), 32)])
    asked: list[tuple[int, int]] = []

    def part(first: int, end: int) -> bytes:
        asked.append((first, end))
        return (start + b"\0" * size)[first:end]

    read_gguf(part, FILE, size)
    assert len(asked) == 1
    assert asked[0][1] <= size


def test_a_key_may_have_one_value_per_layer() -> None:
    groups = facts(small("llama", attention__head_count_kv=[4, 4, 0, 4, 2, 2], attention__head_count=[8] * 6)).groups
    assert groups == (LayerGroup(3, Attention.FULL, 4, 8, 8), LayerGroup(2, Attention.FULL, 2, 8, 8))


@pytest.mark.parametrize(
    ("architecture", "sliding", "full"), [("gemma2", 3, 3), ("gemma3", 5, 1), ("gpt-oss", 3, 3), ("llama", 0, 6)]
)
def test_windows_follow_the_pattern_of_the_architecture(architecture: str, sliding: int, full: int) -> None:
    groups = facts(small(architecture, attention__sliding_window=128)).groups
    counts = {group.attention: group.count for group in groups}
    assert (counts.get(Attention.SLIDING, 0), counts.get(Attention.FULL, 0)) == (sliding, full)


def test_windows_follow_the_pattern_of_the_file() -> None:
    pattern = [True, True, False, True, True, False]
    found = facts(small("llama", attention__sliding_window=128, attention__sliding_window_pattern=pattern))
    assert {group.attention: group.count for group in found.groups} == {Attention.SLIDING: 4, Attention.FULL: 2}


def test_one_vector_for_all_heads_is_latent() -> None:
    found = facts(small("deepseek2", attention__kv_lora_rank=512, rope__dimension_count=64))
    assert found.groups == (LayerGroup(6, Attention.LATENT, key_size=576),)


def test_layers_without_heads_keep_a_state() -> None:
    own = {"ssm__inner_size": 128, "ssm__state_size": 16, "ssm__conv_kernel": 4, "ssm__group_count": 1}
    found = facts(small("granitehybrid", attention__head_count_kv=[0, 0, 4, 0, 0, 4], **own))
    state = 128 * 16 + (128 + 2 * 16) * 3
    assert found.groups == (
        LayerGroup(4, Attention.STATE, state_elements=state),
        LayerGroup(2, Attention.FULL, 4, 8, 8),
    )


def test_a_token_passes_through_the_experts_that_it_chooses() -> None:
    tensors = [("token_embd.weight", F32, (64, 10), 2560), ("blk.0.ffn_up_exps.weight", F32, (64, 128, 8), 4 * 65_536)]
    found = facts(small("qwen3moe", expert_count=8, expert_used_count=2, expert_feed_forward_length=128), tensors)
    assert (found.parameters, found.active_parameters, found.experts) == (66_176, 640 + 65_536 // 4, 8)


def test_encoders_embed_and_keep_nothing() -> None:
    found = facts(small("bert"))
    assert (found.task, found.groups) == (Task.EMBED, ())


@pytest.mark.parametrize("missing", ["block_count", "embedding_length"])
def test_a_missing_key_is_named(missing: str) -> None:
    metadata = small("llama")
    del metadata[f"llama.{missing}"]
    with pytest.raises(WeightsError, match=missing):
        facts(metadata)


def test_a_projector_is_no_model() -> None:
    with pytest.raises(WeightsError, match="projector"):
        facts({"general.architecture": "clip"})


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (lambda start: b"GGML" + start[4:], "no GGUF"),
        (lambda start: start[:4] + struct.pack("<I", 1) + start[8:], "version 1"),
        (lambda start: start[:4] + struct.pack(">I", 3) + start[8:], "big endian"),
        (lambda start: start[:8] + struct.pack("<Q", 1 << 50) + start[16:], "beyond all reason"),
        (lambda start: start[:16] + struct.pack("<Q", 1 << 50) + start[24:], "beyond all reason"),
        (lambda start: start[:24] + struct.pack("<Q", 1 << 62) + start[32:], "text of"),
        (lambda start: start[:200], "truncated"),
        (lambda _: b"", "truncated"),
    ],
)
def test_a_header_beyond_reason_is_refused(spoil: Any, names: str) -> None:
    start, _ = gguf(small("llama"), [("a", F32, (8,), 32)])
    with pytest.raises(WeightsError, match=names) as refused:
        read(spoil(start))
    assert refused.value.reason is Reason.UNREADABLE


@pytest.mark.parametrize(
    ("kind", "shape", "names"),
    [
        (99, (8,), "type 99"),
        (Q4_K, (100,), "blocks of 256"),
        (F32, (1 << 40, 1 << 40), "shape"),
        (F32, (1,) * 9, "dim"),
    ],
)
def test_a_tensor_that_cannot_be_is_refused(kind: int, shape: tuple[int, ...], names: str) -> None:
    with pytest.raises(WeightsError, match=names):
        read(gguf(small("llama"), [("a", kind, shape, 32)])[0])


def test_a_file_that_ends_before_its_tensors_is_refused() -> None:
    start, size = gguf(small("llama"), [("a", F32, (8,), 32)])
    with pytest.raises(WeightsError, match="truncated"):
        read(start, size - 32)


def test_tensors_that_overlap_are_refused() -> None:
    start, _ = gguf(small("llama"), [("a", F32, (80,), 32), ("b", F32, (8,), 32)])
    with pytest.raises(WeightsError, match="overlaps"):
        read(start)


def test_a_header_without_an_end_is_read_no_further_than_its_bound() -> None:
    """A file of endless texts, which a server would go on to send for ever."""
    furthest = 0
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"a" + struct.pack("<IIQ", 9, 8, 8_000_000)
    text = struct.pack("<Q", 120) + b"x" * 120

    def part(first: int, end: int) -> bytes:
        nonlocal furthest
        furthest = max(furthest, end)
        if first == 0:
            return (head + text * ((end - len(head)) // 128 + 1))[:end]
        shift = (first - len(head)) % 128
        return (text * ((end - first) // 128 + 2))[shift : shift + end - first]

    with pytest.raises(WeightsError, match="beyond all reason"):
        read_gguf(part, FILE)
    assert furthest <= MOST_HEADER_BYTES


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_but_a_refusal(data: bytes) -> None:
    for start in (data, b"GGUF" + struct.pack("<I", 3) + data):
        with only_refusals():
            read(start, len(start))


@given(st.data())
def test_spoiled_bytes_are_read_or_refused(data: st.DataObject) -> None:
    metadata = small("llama", attention__head_count_kv=[4, 4, 0, 4, 2, 2], attention__key_length=8)
    start, size = gguf(metadata | {"general.file_type": 15}, [("token_embd.weight", Q4_K, (256, 4), 576)])
    spoiled = bytearray(start)
    for _ in range(data.draw(st.integers(1, 4))):
        spoiled[data.draw(st.integers(0, len(start) - 1))] = data.draw(st.integers(0, 255))
    with only_refusals():
        header = read(bytes(spoiled), size)
        gguf_facts(header, FILE, header.tensors)
