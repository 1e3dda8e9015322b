"""What a GGUF file's metadata say of the model. Keys start with the architecture's name: llama.block_count."""

from collections.abc import Mapping, Sequence
from typing import Any

from stoker_runtime.facts import Attention, Facts, Format, LayerGroup, Task
from stoker_runtime.inspect.fields import Fields
from stoker_runtime.inspect.gguf_header import GgufHeader, Skipped
from stoker_runtime.inspect.gguf_types import FILE_TYPES
from stoker_runtime.inspect.layer_groups import merged
from stoker_runtime.inspect.tensors import Tensor, bytes_by_dtype
from stoker_runtime.inspect.unpacked import Guessing, count_stored
from stoker_runtime.inspect.unreadable import shown, unreadable

_ENCODERS = frozenset(
    {"bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "neo-bert"}
)
# One layer in so many has no window, where the file gives the window alone.
_PATTERNS = {"gemma2": 2, "gemma3": 6, "gpt-oss": 2, "cohere2": 4, "exaone4": 4}
_UNPACKED = ("F32", "F16", "BF16")


def gguf_facts(header: GgufHeader, file: str, tensors: Sequence[Tensor], multimodal: bool = False) -> Facts:
    """`tensors` are those of all parts of a split file; `header` is the first part's."""
    architecture = header.metadata.get("general.architecture")
    if not isinstance(architecture, str) or not architecture:
        raise unreadable(file, f"general.architecture must be a name, not {shown(architecture)}")
    if header.metadata.get("general.type") in ("adapter", "mmproj") or architecture == "clip":
        raise unreadable(file, "an adapter or projector, not a model", "take the file of the model itself")
    fields = _own(header.metadata, architecture, file)
    guessing, experts = fields.whole("nextn_predict_layers") or 0, fields.whole("expert_count") or 0
    layers = fields.required("block_count") - guessing
    stored = count_stored(tensors, None, Guessing(layers, guessing))
    per_token = fields.whole("expert_used_count") or experts
    idle = stored.expert_parameters * (experts - min(per_token, experts)) // experts if experts else 0
    by_dtype = bytes_by_dtype(tuple(tensors))
    return Facts(
        format=Format.GGUF,
        parameters=stored.parameters,
        active_parameters=stored.parameters - idle,
        weight_bytes=stored.weight_bytes,
        embedding_bytes=stored.embedding_bytes,
        layers=layers,
        groups=() if architecture in _ENCODERS else _groups(fields, architecture, layers),
        architecture=architecture,
        task=Task.EMBED if architecture in _ENCODERS or fields.whole("pooling_type") else Task.GENERATE,
        quantization=_quantization(header.metadata, by_dtype),
        bytes_by_dtype=by_dtype,
        dtype="float16",
        hidden_size=fields.required("embedding_length"),
        intermediate_size=_inner(fields, experts, per_token),
        attention_heads=_most(fields, "attention.head_count"),
        vocabulary=_vocabulary(header.metadata, fields, tensors),
        experts=experts,
        context_length=fields.whole("context_length"),
        chat_template=any(name.startswith("tokenizer.chat_template") for name in header.metadata),
        multimodal=multimodal,
    )


def _own(metadata: Mapping[str, Any], architecture: str, file: str) -> Fields:
    prefix = f"{architecture}."
    return Fields({key[len(prefix) :]: value for key, value in metadata.items() if key.startswith(prefix)}, file)


def _groups(fields: Fields, architecture: str, layers: int) -> tuple[LayerGroup, ...]:
    rank = fields.whole("attention.kv_lora_rank")
    if rank:
        rotary = fields.required("rope.dimension_count")
        return (LayerGroup(layers, Attention.LATENT, key_size=rank + rotary),)
    keys, slides = _kv_heads(fields, layers), _sliding(fields, architecture, layers)
    window = fields.whole("attention.sliding_window")
    hidden, queries = fields.required("embedding_length"), max(_most(fields, "attention.head_count"), 1)
    key_size = fields.whole("attention.key_length") or hidden // queries
    value_size = fields.whole("attention.value_length") or key_size
    groups = []
    interval = fields.whole("full_attention_interval")
    for layer in range(layers):
        if keys[layer] == 0 or (interval and (layer + 1) % interval):
            groups += [LayerGroup(1, Attention.STATE, state_elements=_state(fields))] if _state(fields) else []
        elif slides[layer] and window:
            groups.append(LayerGroup(1, Attention.SLIDING, keys[layer], key_size, value_size, window))
        else:
            groups.append(LayerGroup(1, Attention.FULL, keys[layer], key_size, value_size))
    return merged(groups)


def _kv_heads(fields: Fields, layers: int) -> Sequence[int]:
    """One number for all layers, or one each; 0 marks a layer without attention."""
    name = "attention.head_count_kv"
    value = fields.raw(name)
    if value is None:
        value = fields.raw("attention.head_count") or 0
    if isinstance(value, list) and len(value) >= layers and all(type(item) is int and item >= 0 for item in value):
        return value
    if type(value) is int and value >= 0:
        return [value] * layers
    raise fields.wrong(name, f"a whole number, or {layers} of them")


def _sliding(fields: Fields, architecture: str, layers: int) -> Sequence[bool]:
    given = fields.raw("attention.sliding_window_pattern")
    if isinstance(given, list) and len(given) >= layers:
        return [bool(item) for item in given]
    pattern = given if type(given) is int and given > 0 else _PATTERNS.get(architecture)
    return [bool(pattern and (layer + 1) % pattern) for layer in range(layers)]


def _state(fields: Fields) -> int:
    inner, state = fields.whole("ssm.inner_size") or 0, fields.whole("ssm.state_size") or 0
    groups, kernel = fields.whole("ssm.group_count") or 0, fields.whole("ssm.conv_kernel") or 1
    return inner * state + (inner + 2 * groups * state) * (kernel - 1)


def _most(fields: Fields, name: str) -> int:
    """Of a number that may be given per layer."""
    value = fields.raw(name)
    if isinstance(value, list):
        return max((item for item in value if type(item) is int), default=0)
    return fields.whole(name) or 0


def _inner(fields: Fields, experts: int, per_token: int) -> int:
    dense = _most(fields, "feed_forward_length")
    if not experts:
        return dense
    one = fields.whole("expert_feed_forward_length") or dense
    shared = fields.whole("expert_shared_feed_forward_length") or (fields.whole("expert_shared_count") or 0) * one
    return max(dense if fields.whole("leading_dense_block_count") else 0, per_token * one + shared)


def _vocabulary(metadata: Mapping[str, Any], fields: Fields, tensors: Sequence[Tensor]) -> int:
    tokens = metadata.get("tokenizer.ggml.tokens")
    if isinstance(tokens, Skipped):
        return tokens.length
    if isinstance(tokens, list) and tokens:
        return len(tokens)
    embedding = next((tensor for tensor in tensors if tensor.name == "token_embd.weight"), None)
    return fields.whole("vocab_size") or (embedding.shape[-1] if embedding and embedding.shape else 0)


def _quantization(metadata: Mapping[str, Any], by_dtype: Mapping[str, int]) -> str | None:
    """By the file's own word, else by what most bytes are."""
    kind = metadata.get("general.file_type")
    name = FILE_TYPES.get(kind) if type(kind) is int else None
    name = name or next(iter(by_dtype), None)
    return None if name in _UNPACKED else name
