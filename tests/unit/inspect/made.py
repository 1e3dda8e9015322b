"""Headers as publishers write them, without a byte of weights behind: the files are sparse."""

import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

from stoker_runtime.failure import Reason, WeightsError

MODELS = Path(__file__).parents[2] / "models"

_BYTES = {"BF16": 2, "F16": 2, "F32": 4, "I32": 4, "U8": 1, "I8": 1, "F8_E4M3": 1, "I64": 8}

Shape = tuple[str, str, Sequence[int]]  # name, dtype, shape


@contextmanager
def only_refusals() -> Iterator[None]:
    """Whatever is inside may refuse what it reads, and may fail in no other way."""
    try:
        yield
    except WeightsError as refused:
        if refused.reason is not Reason.UNREADABLE:
            raise


def config(name: str, **changes: Any) -> dict[str, Any]:
    """A published configuration of tests/models."""
    value: dict[str, Any] = json.loads((MODELS / f"{name}.json").read_text())
    return {**value, **changes}


def safetensors(tensors: Iterable[Shape], metadata: Mapping[str, str] | None = None) -> tuple[bytes, int]:
    """The header, and how long the whole file is."""
    described: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for name, dtype, shape in tensors:
        end = offset + prod(shape) * _BYTES[dtype]
        described[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(described).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, 8 + len(text) + offset


def write_sparse(path: Path, start: bytes, size_bytes: int) -> None:
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size_bytes)


def write_model(folder: Path, value: Mapping[str, Any], tensors: Iterable[Shape]) -> Path:
    """A model of one safetensors file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(value))
    write_sparse(folder / "model.safetensors", *safetensors(tensors))
    return folder


def write_shards(folder: Path, value: Mapping[str, Any], shards: Sequence[Sequence[Shape]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(value))
    places: dict[str, str] = {}
    for number, tensors in enumerate(shards, 1):
        name = f"model-{number:05}-of-{len(shards):05}.safetensors"
        write_sparse(folder / name, *safetensors(tensors))
        places |= {tensor[0]: name for tensor in tensors}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def llama_tensors(value: Mapping[str, Any], dtype: str = "BF16") -> list[Shape]:
    """All tensors of a model with gated layers and grouped heads: Llama, Mistral and their like."""
    hidden, vocabulary = value["hidden_size"], value["vocab_size"]
    made: list[Shape] = [("model.embed_tokens.weight", dtype, (vocabulary, hidden))]
    for layer in range(value["num_hidden_layers"]):
        made += [(name, dtype, shape) for name, shape in linears(value, layer)]
        made += [(f"model.layers.{layer}.{norm}.weight", dtype, (hidden,)) for norm in NORMS]
    made.append(("model.norm.weight", dtype, (hidden,)))
    if not value.get("tie_word_embeddings"):
        made.append(("lm_head.weight", dtype, (vocabulary, hidden)))
    return made


NORMS = ("input_layernorm", "post_attention_layernorm")


def linears(value: Mapping[str, Any], layer: int) -> list[tuple[str, tuple[int, int]]]:
    """The matrices of one layer as (out, in)."""
    hidden, inner, heads = value["hidden_size"], value["intermediate_size"], value["num_attention_heads"]
    size = value.get("head_dim") or hidden // heads
    queries, keys = heads * size, value["num_key_value_heads"] * size
    place = f"model.layers.{layer}"
    return [
        (f"{place}.self_attn.q_proj.weight", (queries, hidden)),
        (f"{place}.self_attn.k_proj.weight", (keys, hidden)),
        (f"{place}.self_attn.v_proj.weight", (keys, hidden)),
        (f"{place}.self_attn.o_proj.weight", (hidden, queries)),
        (f"{place}.mlp.gate_proj.weight", (inner, hidden)),
        (f"{place}.mlp.up_proj.weight", (inner, hidden)),
        (f"{place}.mlp.down_proj.weight", (hidden, inner)),
    ]


def packed(value: Mapping[str, Any], pack: Callable[[str, int, int], list[Shape]]) -> list[Shape]:
    """A Llama whose matrices `pack(name, out, in)` turns into what a tool stores instead."""
    made: list[Shape] = []
    matrices = {name for layer in range(value["num_hidden_layers"]) for name, _ in linears(value, layer)}
    for name, _, shape in llama_tensors(value, "F16"):
        made += pack(name.removesuffix(".weight"), *shape) if name in matrices else [(name, "F16", shape)]
    return made


def gptq(name: str, out: int, into: int) -> list[Shape]:
    return [
        (f"{name}.qweight", "I32", (into // 8, out)),
        (f"{name}.qzeros", "I32", (into // 128, out // 8)),
        (f"{name}.scales", "F16", (into // 128, out)),
        (f"{name}.g_idx", "I32", (into,)),
    ]


def awq(name: str, out: int, into: int) -> list[Shape]:
    return [
        (f"{name}.qweight", "I32", (into, out // 8)),
        (f"{name}.qzeros", "I32", (into // 128, out // 8)),
        (f"{name}.scales", "F16", (into // 128, out)),
    ]


def fp8(name: str, out: int, into: int) -> list[Shape]:
    return [
        (f"{name}.weight", "F8_E4M3", (out, into)),
        (f"{name}.weight_scale_inv", "F32", (-(-out // 128), -(-into // 128))),
        (f"{name}.input_scale", "F32", ()),
    ]


def bnb_4bit(name: str, out: int, into: int) -> list[Shape]:
    return [
        (f"{name}.weight", "U8", (out * into // 2, 1)),
        (f"{name}.weight.absmax", "U8", (out * into // 64,)),
        (f"{name}.weight.nested_absmax", "F32", (-(-out * into // (64 * 256)),)),
        (f"{name}.weight.quant_map", "F32", (16,)),
        (f"{name}.weight.nested_quant_map", "F32", (256,)),
        (f"{name}.weight.quant_state.bitsandbytes__nf4", "U8", (90,)),
    ]


def compressed_int4(name: str, out: int, into: int) -> list[Shape]:
    return [
        (f"{name}.weight_packed", "I32", (out, into // 8)),
        (f"{name}.weight_scale", "F16", (out, into // 128)),
        (f"{name}.weight_shape", "I64", (2,)),
    ]


def nvfp4(name: str, out: int, into: int) -> list[Shape]:
    return [
        (f"{name}.weight", "U8", (out, into // 2)),
        (f"{name}.weight_scale", "F8_E4M3", (out, into // 16)),
        (f"{name}.weight_scale_2", "F32", ()),
        (f"{name}.input_scale", "F32", ()),
    ]


_GGUF_KINDS = {int: 4, float: 6, bool: 7, str: 8}


def gguf(
    metadata: Mapping[str, Any], tensors: Sequence[tuple[str, int, Sequence[int], int]], version: int = 3
) -> tuple[bytes, int]:
    """`tensors`: name, type, shape and size in bytes. The header, and how long the whole file is."""
    parts = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(metadata))]
    for key, value in metadata.items():
        parts += [_text(key), _value(value)]
    offset = 0
    for name, kind, shape, size in tensors:
        parts += [_text(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape), struct.pack("<IQ", kind, offset)]
        offset += -(-size // 32) * 32
    start = b"".join(parts)
    return start, -(-len(start) // 32) * 32 + offset


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def _value(value: Any) -> bytes:
    if isinstance(value, list):
        kind = _GGUF_KINDS[type(value[0])]
        return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(_plain(item) for item in value)
    return struct.pack("<I", _GGUF_KINDS[type(value)]) + _plain(value)


def _plain(value: Any) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return struct.pack("<?", value)
    return struct.pack("<I" if isinstance(value, int) else "<f", value)
