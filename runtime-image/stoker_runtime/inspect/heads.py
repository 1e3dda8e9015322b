"""How many heads a layer has, and how long they are."""

from dataclasses import dataclass

from stoker_runtime.inspect.fields import Fields

HIDDEN = ("hidden_size", "n_embd", "d_model", "dim", "n_embed")
HEADS = ("num_attention_heads", "n_head", "n_heads", "decoder_attention_heads", "num_heads")
LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "decoder_layers")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
_HEAD_SIZES = ("head_dim", "attention_head_dim", "kv_channels", "d_kv")


@dataclass(frozen=True)
class Heads:
    """Of the layers that keep keys and values."""

    queries: int
    keys: int  # key and value heads
    key_size: int
    value_size: int


def heads(fields: Fields) -> Heads:
    """hidden_size / num_attention_heads, unless the configuration gives a size of its own."""
    queries = fields.required(*HEADS)
    size = fields.whole(*_HEAD_SIZES) or fields.required(*HIDDEN) // queries
    if size < 1:
        raise fields.wrong("num_attention_heads", "at most hidden_size")
    nope, rotary = fields.whole("qk_nope_head_dim"), fields.whole("qk_rope_head_dim")
    key_size = nope + rotary if nope and rotary else size
    return Heads(queries, _kv_heads(fields, queries), key_size, fields.whole("v_head_dim") or size)


def _kv_heads(fields: Fields, queries: int) -> int:
    falcon = fields.text("model_type") in {"falcon", "RefinedWeb", "RefinedWebModel"}
    # Falcon's first layers share one head, whatever else the file says, unless they are of the newer kind.
    default = falcon and not fields.flag("new_decoder_architecture")
    if fields.flag("multi_query", default=default) and (default or fields.text("model_type") == "gpt_bigcode"):
        return 1
    nested = fields.part("attn_config")
    return fields.whole(*_KV_HEADS) or (nested.whole("kv_n_heads") if nested else None) or queries
