"""Write the GGUF format, version 3: metadata, a table of tensors, the tensors themselves, each aligned."""

import struct
from array import array
from collections.abc import Iterable
from pathlib import Path

from e2e.models.llama import Llama
from e2e.models.model_files import CHAT_TEMPLATE
from e2e.models.tokenizer import BEGIN, PAD, SPECIALS, TURN_END, Tokenizer
from e2e.models.weights import Tensor, floats_of

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_F32, TENSOR_F16 = 0, 1
FILE_MOSTLY_F16 = 1
NORMAL_TOKEN, CONTROL_TOKEN = 1, 3
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(target: Path, llama: Llama, tokenizer: Tokenizer, tensors: list[Tensor]) -> None:
    metadata = _metadata(llama, tokenizer)
    table, data = bytearray(), bytearray()
    for tensor in tensors:
        kind, content = _content(tensor, llama)
        # GGUF counts dimensions from the innermost.
        shape = tuple(reversed(tensor.shape))
        table += _text(_gguf_name(tensor.name)) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        table += struct.pack("<IQ", kind, len(data))
        data += _padded(content)
    head = MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(metadata)) + b"".join(metadata) + table
    target.write_bytes(_padded(head) + data)


def _metadata(llama: Llama, tokenizer: Tokenizer) -> list[bytes]:
    kinds = [CONTROL_TOKEN if token in SPECIALS else NORMAL_TOKEN for token in tokenizer.tokens]
    return [
        _string("general.architecture", "llama"),
        _string("general.name", "tiny-llama"),
        _number("general.file_type", FILE_MOSTLY_F16),
        _number("general.alignment", ALIGNMENT),
        _number("llama.vocab_size", llama.vocabulary),
        _number("llama.context_length", llama.context),
        _number("llama.embedding_length", llama.hidden),
        _number("llama.block_count", llama.layers),
        _number("llama.feed_forward_length", llama.intermediate),
        _number("llama.attention.head_count", llama.heads),
        _number("llama.attention.head_count_kv", llama.kv_heads),
        _number("llama.rope.dimension_count", llama.head_size),
        _key("llama.rope.freq_base", FLOAT32) + struct.pack("<f", llama.rope_theta),
        _key("llama.attention.layer_norm_rms_epsilon", FLOAT32) + struct.pack("<f", llama.norm_epsilon),
        _string("tokenizer.ggml.model", "gpt2"),
        _string("tokenizer.ggml.pre", "gpt-2"),
        _strings("tokenizer.ggml.tokens", tokenizer.tokens),
        _key("tokenizer.ggml.token_type", ARRAY) + struct.pack(f"<IQ{len(kinds)}i", INT32, len(kinds), *kinds),
        _strings("tokenizer.ggml.merges", (" ".join(pair) for pair in tokenizer.merges)),
        _number("tokenizer.ggml.bos_token_id", tokenizer.ids[BEGIN]),
        _number("tokenizer.ggml.eos_token_id", tokenizer.ids[TURN_END]),
        _number("tokenizer.ggml.padding_token_id", tokenizer.ids[PAD]),
        _key("tokenizer.ggml.add_bos_token", BOOL) + b"\x01",
        _string("tokenizer.chat_template", CHAT_TEMPLATE),
    ]


def _content(tensor: Tensor, llama: Llama) -> tuple[int, bytes]:
    values = floats_of(tensor)
    if len(tensor.shape) == 1:
        return TENSOR_F32, struct.pack(f"<{len(values)}f", *values)
    heads = {"q_proj": llama.heads, "k_proj": llama.kv_heads}.get(tensor.name.split(".")[-2])
    if heads:
        values = _interleaved(values, heads, tensor.shape[1])
    return TENSOR_F16, struct.pack(f"<{len(values)}e", *values)


def _interleaved(values: "array[float]", heads: int, width: int) -> "array[float]":
    """Rotary pairs are neighbours in GGUF, while Hugging Face keeps a head's first halves before its second halves."""
    half = len(values) // width // heads // 2
    rows = ((head * 2 + part) * half + index for head in range(heads) for index in range(half) for part in (0, 1))
    return array("f", (value for row in rows for value in values[row * width : (row + 1) * width]))


def _gguf_name(name: str) -> str:
    stem = name.removesuffix(".weight")
    if not stem.startswith("model.layers."):
        return f"{NAMES[stem]}.weight"
    _, _, index, rest = stem.split(".", 3)
    return f"blk.{index}.{NAMES[rest]}.weight"


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _key(key: str, kind: int) -> bytes:
    return _text(key) + struct.pack("<I", kind)


def _number(key: str, value: int) -> bytes:
    return _key(key, UINT32) + struct.pack("<I", value)


def _string(key: str, value: str) -> bytes:
    return _key(key, STRING) + _text(value)


def _strings(key: str, values: Iterable[str]) -> bytes:
    texts = [_text(value) for value in values]
    return _key(key, ARRAY) + struct.pack("<IQ", STRING, len(texts)) + b"".join(texts)


def _padded(content: bytes | bytearray) -> bytes:
    return bytes(content) + b"\0" * (-len(content) % ALIGNMENT)
