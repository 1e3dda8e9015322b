"""How many parameters a model has by its configuration alone. Tensors, where there are any, know better."""

from dataclasses import dataclass

from stoker_runtime.inspect import layer_kinds
from stoker_runtime.inspect.configuration import Configuration
from stoker_runtime.inspect.experts import dense_inner, experts, is_sparse
from stoker_runtime.inspect.families import ENCODERS, UNGATED
from stoker_runtime.inspect.fields import Fields
from stoker_runtime.inspect.heads import Heads, heads
from stoker_runtime.inspect.senses import sense_parameters
from stoker_runtime.inspect.state_layers import mamba2_inner

# Biases of the three inputs of attention that the configuration does not mention.
_INPUT_BIASES = frozenset({"qwen2", "qwen2_moe", "qwen2_vl", "qwen2_vl_text", "qwen2_5_vl", "qwen2_5_vl_text"})
_FOUR_NORMS = frozenset({"gemma2", "gemma3", "gemma3_text", "gemma4_text"})
_QUERY_KEY_NORMS = frozenset(
    {"qwen3", "qwen3_moe", "qwen3_vl_text", "qwen3_vl_moe_text", "qwen3_next", "gemma3_text", "gemma4_text"}
)


@dataclass(frozen=True)
class Count:
    total: int
    active: int  # that one token passes through: all but the experts that it does not choose


def parameters_of(configuration: Configuration) -> Count:
    """embeddings + layers + what sees and hears. Within 1 % for the families that the tests name."""
    text = configuration.text
    kinds = layer_kinds.layer_kinds(text, configuration.layers)
    total = _outside_layers(configuration) + sense_parameters(configuration)
    idle = 0
    for layer, kind in enumerate(kinds):
        mixer = _mixer(configuration, kind)
        inner, unused = _inner(configuration, layer, kind)
        norms = (4 if configuration.model_type in _FOUR_NORMS else 2) * configuration.hidden_size
        total += mixer + inner + norms
        idle += unused
    return Count(total, total - idle)


def _outside_layers(configuration: Configuration) -> int:
    text, hidden = configuration.text, configuration.hidden_size
    embedding = configuration.vocabulary * (text.whole("word_embed_proj_dim") or hidden)
    if configuration.model_type in ENCODERS:
        positions = (text.whole("max_position_embeddings") or 0) + (text.whole("type_vocab_size") or 0)
        pooler = hidden * hidden + hidden
        return embedding + (positions + 2) * hidden + pooler
    learned = configuration.model_type in {"gpt2", "gpt_bigcode", "opt"}
    positions = (text.whole("n_positions", "max_position_embeddings") or 0) if learned else 0
    return embedding * (1 if configuration.tied else 2) + positions * hidden + hidden


def _mixer(configuration: Configuration, kind: str) -> int:
    """What a layer mixes tokens with: attention, a state, or both."""
    text = configuration.text
    if kind == layer_kinds.NOTHING:
        return 0
    if kind == layer_kinds.STATE:
        return _state(configuration)
    attention = _latent_attention(text) if text.whole("kv_lora_rank") else _attention(configuration)
    return attention + (_state(configuration) if kind == layer_kinds.BOTH else 0)


def _attention(configuration: Configuration) -> int:
    text, hidden, kept = configuration.text, configuration.hidden_size, heads(configuration.text)
    gated = text.flag("attn_output_gate", default=configuration.model_type == "qwen3_next")
    queries = kept.queries * kept.key_size * (2 if gated else 1)
    keys_values = kept.keys * (kept.key_size + kept.value_size)
    out = kept.queries * kept.value_size
    weights = hidden * (queries + keys_values + out)
    normed = 2 * kept.key_size if configuration.model_type in _QUERY_KEY_NORMS else 0
    return weights + normed + _attention_biases(configuration, kept)


def _attention_biases(configuration: Configuration, kept: Heads) -> int:
    text, family = configuration.text, configuration.model_type
    inputs = kept.queries * kept.key_size + kept.keys * (kept.key_size + kept.value_size)
    if family in ENCODERS or text.flag("attention_bias") or text.flag("use_bias"):
        sinks = kept.queries if family == "gpt_oss" else 0
        return inputs + configuration.hidden_size + sinks
    return inputs if family in _INPUT_BIASES else 0


def _latent_attention(text: Fields) -> int:
    """MLA: queries and keys go through vectors of low rank, which have norms of their own."""
    hidden, count = text.required("hidden_size"), text.required("num_attention_heads")
    rotary, nope = text.required("qk_rope_head_dim"), text.required("qk_nope_head_dim")
    value, rank, query_rank = text.required("v_head_dim"), text.required("kv_lora_rank"), text.whole("q_lora_rank")
    queries = count * (nope + rotary)
    into_queries = hidden * query_rank + query_rank + query_rank * queries if query_rank else hidden * queries
    into_keys = hidden * (rank + rotary) + rank + rank * count * (nope + value)
    return into_queries + into_keys + count * value * hidden


def _state(configuration: Configuration) -> int:
    text, hidden = configuration.text, configuration.hidden_size
    if text.whole("linear_num_value_heads"):
        keys = text.required("linear_num_key_heads") * text.required("linear_key_head_dim")
        count = text.required("linear_num_value_heads")
        values = count * text.required("linear_value_head_dim")
        kernel = text.whole("linear_conv_kernel_dim") or 4
        return hidden * (2 * keys + 3 * values + 2 * count) + (2 * keys + values) * kernel
    if text.whole("mamba_n_heads", "mamba_num_heads"):
        count, inner = text.required("mamba_n_heads", "mamba_num_heads"), mamba2_inner(text)
        groups = text.whole("mamba_n_groups", "n_groups") or 1
        convolved = inner + 2 * groups * (text.whole("mamba_d_state", "ssm_state_size") or 128)
        kernel = text.whole("mamba_d_conv", "conv_kernel") or 4
        return hidden * (inner + convolved + count) + convolved * (kernel + 1) + inner * hidden + inner + 3 * count
    return _mamba(text, hidden)


def _mamba(text: Fields, hidden: int) -> int:
    inner = hidden * (text.whole("mamba_expand", "expand") or 2)
    state = text.whole("mamba_d_state", "state_size") or 16
    rank = text.whole("mamba_dt_rank", "time_step_rank") if text.raw("mamba_dt_rank") != "auto" else None
    rank = rank or -(-hidden // 16)
    kernel = text.whole("mamba_d_conv", "conv_kernel") or 4
    return hidden * 2 * inner + inner * (kernel + 1 + rank + 2 * state + rank + 1 + state + 1) + inner * hidden


def _inner(configuration: Configuration, layer: int, kind: str) -> tuple[int, int]:
    """A layer's inner part, and how much of it one token leaves out."""
    text, hidden = configuration.text, configuration.hidden_size
    if configuration.model_type == "nemotron_h" and kind != layer_kinds.NOTHING:
        return 0, 0
    matrices, found = _matrices(configuration), experts(text)
    if not found.count or not is_sparse(text, layer):
        width = _dense_width(text)
        biases = width + hidden if _has_inner_bias(configuration) else 0
        return matrices * hidden * width + biases, 0
    # Some experts work in a narrower space, into which and out of which each layer projects once.
    latent = text.whole("moe_latent_size", "routed_expert_hidden_size")
    one = matrices * (latent or hidden) * found.inner
    if configuration.model_type == "gpt_oss":
        one += 2 * found.inner + hidden
    router = hidden * found.count + (found.count if configuration.model_type == "gpt_oss" else 0)
    shared = matrices * hidden * found.shared_inner
    beside = matrices * hidden * dense_inner(text) if text.flag("enable_moe_block") else 0
    beside += 2 * hidden * latent if latent else 0
    return router + found.count * one + shared + beside, (found.count - found.per_token) * one


def _dense_width(text: Fields) -> int:
    if (text.text("model_type") or "") == "granitemoehybrid":
        return text.whole("shared_intermediate_size") or dense_inner(text)
    return text.whole("intermediate_size_mlp") or dense_inner(text)


def _matrices(configuration: Configuration) -> int:
    return 2 if configuration.model_type in UNGATED else 3


def _has_inner_bias(configuration: Configuration) -> bool:
    text = configuration.text
    return configuration.model_type in ENCODERS or text.flag("mlp_bias") or text.flag("use_bias")
