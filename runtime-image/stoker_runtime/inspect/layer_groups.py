"""What the layers of a configuration keep of a text, layers of one kind together."""

from collections import Counter
from dataclasses import replace

from stoker_runtime.facts import Attention, LayerGroup
from stoker_runtime.inspect import layer_kinds
from stoker_runtime.inspect.fields import Fields
from stoker_runtime.inspect.heads import HEADS, heads
from stoker_runtime.inspect.state_layers import state_elements


def layer_groups(fields: Fields, count: int, context_length: int | None) -> tuple[LayerGroup, ...]:
    """The largest group first."""
    blocks = fields.raw("block_configs")
    if isinstance(blocks, list):
        return merged(_searched(fields, blocks))
    kinds = layer_kinds.layer_kinds(fields, count)
    shared = fields.whole("num_kv_shared_layers") or 0
    # The last layers of some models read what earlier ones keep.
    kept = kinds[: count - shared] if 0 < shared < count else kinds
    listed = fields.texts("layer_types", "layers_block_type", "block_types")
    groups = []
    for kind, times in Counter(kept).items():
        state_name = "conv" if listed and "conv" in listed else "linear_attention" if listed else "mamba"
        if kind in (layer_kinds.STATE, layer_kinds.BOTH):
            state = state_elements(fields, state_name)
            groups.append(LayerGroup(times, Attention.STATE, state_elements=state))
        if kind in (layer_kinds.FULL, layer_kinds.BOTH):
            groups.append(_full(fields, times))
        if kind in (layer_kinds.SLIDING, layer_kinds.CHUNKED):
            name = "sliding_window" if kind == layer_kinds.SLIDING else "attention_chunk_size"
            groups.append(_sliding(fields, times, fields.required(name), context_length))
    return merged(groups)


def merged(groups: list[LayerGroup]) -> tuple[LayerGroup, ...]:
    """Equal layers as one group."""
    counts: Counter[LayerGroup] = Counter()
    for group in groups:
        counts[replace(group, count=1)] += group.count
    return tuple(replace(group, count=count) for group, count in counts.most_common())


def _full(fields: Fields, count: int) -> LayerGroup:
    rank = fields.whole("kv_lora_rank")
    if rank:
        # Sparse attention keeps an index key beside it, in one byte per element: counted as two, on the safe side.
        index = fields.whole("index_head_dim") or 0
        return LayerGroup(count, Attention.LATENT, key_size=rank + (fields.whole("qk_rope_head_dim") or 0) + index)
    kept = heads(fields)
    size = fields.whole("global_head_dim")
    keys = fields.whole("num_global_key_value_heads") or kept.keys
    return LayerGroup(count, Attention.FULL, keys, size or kept.key_size, size or kept.value_size)


def _sliding(fields: Fields, count: int, window: int, context_length: int | None) -> LayerGroup:
    """A window as long as the context is none."""
    kept = heads(fields)
    keys = fields.whole("swa_num_key_value_heads") or kept.keys
    key_size = fields.whole("swa_head_dim") or kept.key_size
    value_size = fields.whole("swa_v_head_dim") or kept.value_size
    if context_length is not None and window >= context_length:
        return LayerGroup(count, Attention.FULL, keys, key_size, value_size)
    return LayerGroup(count, Attention.SLIDING, keys, key_size, value_size, window)


def _searched(fields: Fields, blocks: list[object]) -> list[LayerGroup]:
    """Models whose layers were chosen one by one: some have other heads, some no attention at all."""
    kept, groups = heads(fields), []
    for block in blocks:
        attention = Fields({"block": block}, fields.file).part("block")
        attention = attention.part("attention") if attention else None
        if attention is None:
            raise fields.wrong("block_configs", "a list of objects that have attention")
        if attention.flag("no_op") or attention.flag("replace_with_linear"):
            continue
        shared_by = attention.whole("n_heads_in_group")
        keys = fields.required(*HEADS) // shared_by if shared_by else attention.whole("num_key_value_heads")
        groups.append(LayerGroup(1, Attention.FULL, keys or kept.keys, kept.key_size, kept.value_size))
    return groups
