"""Layers with experts: which they are, how wide, and how many of them one token passes through."""

from dataclasses import dataclass

from stoker_runtime.inspect.fields import Fields
from stoker_runtime.inspect.heads import HIDDEN

_COUNTS = ("n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts", "n_experts")
_PER_TOKEN = ("num_experts_per_tok", "experts_per_token", "num_experts_per_token", "top_k_experts", "moe_top_k")
_INNER = ("intermediate_size", "ffn_hidden_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "d_ff", "inner_dim")


@dataclass(frozen=True)
class Experts:
    count: int  # per layer; 0: dense
    per_token: int
    inner: int  # width of one expert
    shared_inner: int  # width of what every token passes through beside them


def experts(fields: Fields) -> Experts:
    nested = fields.part("ffn_config")
    count = fields.whole(*_COUNTS) or (nested.whole("moe_num_experts") if nested else None) or 0
    if not count:
        return Experts(0, 0, 0, 0)
    per_token = fields.whole(*_PER_TOKEN) or (nested.whole("moe_top_k") if nested else None)
    if not per_token or per_token > count:
        raise fields.wrong("num_experts_per_tok", f"given and at most the number of experts, {count}")
    inner = fields.whole("moe_intermediate_size", "expert_ffn_hidden_size") or dense_inner(fields)
    return Experts(count, per_token, inner, _shared_inner(fields, inner))


def dense_inner(fields: Fields) -> int:
    """The width of a layer without experts."""
    nested = fields.part("ffn_config")
    given = fields.whole(*_INNER) or (nested.whole("ffn_hidden_size") if nested else None)
    return given or fields.required(*HIDDEN) * (fields.whole("expansion_ratio") or 4)


def is_sparse(fields: Fields, layer: int) -> bool:
    """Whether this layer has experts, in a model that has some."""
    letters = fields.text("hybrid_override_pattern")
    if letters:
        return letters[layer : layer + 1] == "E"
    listed = fields.texts("layers_block_type")
    if listed and "moe" in listed:
        return listed[layer % len(listed)] == "moe"
    if layer < (fields.whole("first_k_dense_replace") or 0) or layer in (fields.wholes("mlp_only_layers") or ()):
        return False
    frequencies = fields.raw("moe_layer_freq")
    if isinstance(frequencies, list):
        return layer >= len(frequencies) or bool(frequencies[layer])
    period = fields.whole("expert_layer_period")
    if period:
        return layer % period == (fields.whole("expert_layer_offset") or 0)
    step = fields.whole("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_freq") or 1
    return (layer + 1) % step == 0 if fields.whole("moe_layer_freq") is None else layer % step == 0


def widest_inner(fields: Fields, layers: int) -> int:
    """Of the inner layers that one token passes through."""
    found = experts(fields)
    if not found.count:
        return dense_inner(fields)
    sparse = found.per_token * found.inner + found.shared_inner
    all_sparse = all(is_sparse(fields, layer) for layer in range(layers))
    return sparse if all_sparse else max(sparse, dense_inner(fields))


def _shared_inner(fields: Fields, inner: int) -> int:
    given = fields.whole(
        "shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size"
    )
    if given is not None:
        return given
    if (fields.text("model_type") or "").startswith("llama4"):
        return inner
    return (fields.whole("n_shared_experts", "num_shared_experts") or 0) * inner
