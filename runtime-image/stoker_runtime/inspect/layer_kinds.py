"""Which kind each layer is of: from the list in the configuration, or from its family's rule.

Where neither says anything the layer counts as full attention, which keeps the most.
"""

from stoker_runtime.inspect.fields import Fields

FULL, SLIDING, STATE, BOTH, NOTHING, CHUNKED = "full", "sliding", "state", "both", "nothing", "chunked"

_KINDS = {
    "full_attention": FULL,
    "attention": FULL,
    "global": FULL,
    "sliding_attention": SLIDING,
    "local": SLIDING,
    "local_attention": SLIDING,
    "chunked_attention": CHUNKED,
    "linear_attention": STATE,
    "mamba": STATE,
    "mamba2": STATE,
    "recurrent": STATE,
    "conv": STATE,
    "hybrid": BOTH,
    "mlp": NOTHING,
    "moe": NOTHING,
}
_LETTERS = {"M": STATE, "*": FULL, "-": NOTHING, "E": NOTHING}
_ALL_SLIDING = frozenset({"mistral", "mixtral", "ministral", "phi3", "phimoe", "starcoder2"})
_ALL_STATE = frozenset({"mamba", "mamba2", "falcon_mamba"})
_WINDOW_ABOVE = frozenset({"qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "qwen2_vl", "qwen2_5_vl"})


def layer_kinds(fields: Fields, count: int) -> tuple[str, ...]:
    """One kind per layer."""
    listed = fields.texts("layer_types", "layers_block_type", "block_types")
    if listed:
        # A recurrent pattern may be shorter than the model, which repeats it.
        return tuple(_KINDS.get(listed[layer % len(listed)], FULL) for layer in range(count))
    letters = fields.text("hybrid_override_pattern")
    if letters:
        found = tuple(_LETTERS.get(letter, NOTHING) for letter in letters if letter != "|")
        if len(found) != count:
            raise fields.wrong("hybrid_override_pattern", f"{count} letters long, as num_hidden_layers says")
        return found
    return tuple(_of_family(fields, layer) for layer in range(count))


def _of_family(fields: Fields, layer: int) -> str:
    family = fields.text("model_type") or ""
    if family in _ALL_STATE:
        return STATE
    if family == "falcon_h1":
        return BOTH
    return _hybrid(fields, layer) or _windowed(fields, family, layer)


def _hybrid(fields: Fields, layer: int) -> str | None:
    """Models that mix attention with states."""
    indices = fields.wholes("attn_layer_indices")
    if indices is not None:
        return FULL if layer in indices else STATE
    linear = fields.part("linear_attn_config")
    if linear is not None:
        return STATE if layer + 1 in (linear.wholes("kda_layers") or ()) else FULL
    flags = fields.wholes("attn_type_list")
    if flags is not None:
        return FULL if layer >= len(flags) or flags[layer] else STATE
    period = fields.whole("attn_layer_period")
    if period:
        return FULL if layer % period == (fields.whole("attn_layer_offset") or 0) else STATE
    interval = fields.whole("full_attention_interval")
    return (FULL if (layer + 1) % interval == 0 else STATE) if interval else None


def _windowed(fields: Fields, family: str, layer: int) -> str:
    """Models that mix full attention with windows."""
    if fields.whole("attention_chunk_size"):
        step = fields.whole("no_rope_layer_interval") or 4
        return FULL if (layer + 1) % step == 0 else CHUNKED
    if not fields.whole("sliding_window"):
        return FULL
    if family.removesuffix("_text") in _WINDOW_ABOVE:
        slides = fields.flag("use_sliding_window") and layer >= (fields.whole("max_window_layers") or 0)
    else:
        slides = _by_pattern(fields, family, layer)
    return SLIDING if slides else FULL


def _by_pattern(fields: Fields, family: str, layer: int) -> bool:
    flags = fields.wholes("hybrid_layer_pattern")
    if flags is not None:
        return layer < len(flags) and bool(flags[layer])
    pattern = fields.raw("sliding_window_pattern")
    if isinstance(pattern, str) and pattern:
        return pattern[layer % len(pattern)] == "L"
    if isinstance(pattern, int) and pattern > 0:
        return (layer + 1) % pattern != 0
    return family in _ALL_SLIDING
