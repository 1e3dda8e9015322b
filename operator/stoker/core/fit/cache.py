"""Bytes of KV cache.

one token, all layers   = Σ groups  layers * KV heads * (key + value) * element      full, sliding
                        + Σ groups  layers * (latent rank + rotary part) * element   latent
one token, one GPU      = the same with ceil(layers / PP) layers and max(1, KV heads / TP) heads;
                          the latent vector is the same on every rank
one request, one GPU    = Σ groups  bytes per token * tokens kept, in blocks of 16
                        + Σ groups  layers * ceil(state / TP) * 4                     state, of any length
tokens kept             = length                                                      full, latent
                        = min(length, window - 1 + tokens of a step), and one block   sliding
"""

from stoker.core.fit.engine_costs import COSTS
from stoker.core.fit.setup import CacheType, Setup
from stoker.core.fit.widths import compute_bytes, divided
from stoker_runtime.facts import Attention, Facts, LayerGroup

BLOCK_TOKENS = 16
_STATE_BYTES = 4  # engines keep states in float32 unless told otherwise


def token_bytes(facts: Facts, cache_type: CacheType = CacheType.AUTO) -> int:
    """What one token takes on all GPUs together, where nothing is repeated."""
    element = 1 if cache_type is CacheType.FP8 else compute_bytes(facts)
    return sum(group.count * _elements(group, 1) * element for group in facts.groups)


def token_bytes_per_gpu(facts: Facts, setup: Setup) -> int:
    """While no window is full."""
    return sum(_token_bits(facts, group, setup) for group in facts.groups) // 8


def request_bytes_per_gpu(facts: Facts, setup: Setup, context_tokens: int, step_tokens: int) -> int:
    bits = 0
    for group in facts.groups:
        kept = _kept_tokens(group, setup, context_tokens, step_tokens)
        bits += _token_bits(facts, group, setup) * kept
        if group.attention is Attention.STATE:
            layers = divided(group.count, setup.pipeline_parallel)
            bits += 8 * layers * divided(group.state_elements, setup.tensor_parallel) * _STATE_BYTES
    return divided(bits, 8)


def element_bits(facts: Facts, setup: Setup) -> int:
    small = COSTS[setup.engine].small_cache_bits
    return small if setup.cache_type is CacheType.FP8 and small else 8 * compute_bytes(facts)


def _token_bits(facts: Facts, group: LayerGroup, setup: Setup) -> int:
    layers = divided(group.count, setup.pipeline_parallel)
    return layers * _elements(group, setup.tensor_parallel) * element_bits(facts, setup)


def _elements(group: LayerGroup, tensor_parallel: int) -> int:
    """Of one token in one layer on one rank."""
    if group.attention is Attention.LATENT:
        return group.key_size + group.value_size
    if group.attention is Attention.STATE:
        return 0
    return divided(group.kv_heads, tensor_parallel) * (group.key_size + group.value_size)


def _kept_tokens(group: LayerGroup, setup: Setup, context_tokens: int, step_tokens: int) -> int:
    if group.window_tokens is None or not COSTS[setup.engine].bounds_windows:
        return _in_blocks(context_tokens)
    most = group.window_tokens - 1 + step_tokens
    return min(_in_blocks(context_tokens), _in_blocks(most)) + BLOCK_TOKENS


def _in_blocks(tokens: int) -> int:
    return divided(tokens, BLOCK_TOKENS) * BLOCK_TOKENS
