"""Bytes of weights on the GPU that holds most of them.

    stage   = ceil(layers / PP) / layers                       the share of the layers in the fullest stage
    ends    = embeddings                                        PP = 1
            = min(embeddings, vocabulary * hidden * element)    PP > 1: the first or the last stage has one of the two
    whole   = stage * Σ layers (2·norms + router + latent projections)     on every rank alike
    again   = stage * Σ layers hidden * (key + value) * element * (max(1, KV heads / TP) - KV heads / TP)
    weights = (ends + stage * (all - embeddings) - whole) / TP + whole + again

Tensor parallelism deals out matrices by heads, by columns or by rows, and embeddings by words. Norms, the router of a
mixture of experts and the down-projections of latent attention stay whole on every rank; key and value heads that are
fewer than the ranks are repeated.
"""

from fractions import Fraction
from math import ceil

from stoker.core.fit.setup import Setup
from stoker.core.fit.widths import compute_bytes, divided
from stoker_runtime.facts import Attention, Facts, LayerGroup

_NORMS_PER_LAYER = 2
# The query's own down-projection beside that of keys and values: 1,536 + 576 rows for 576 in DeepSeek V3.
_LATENT_PROJECTIONS = 4


def weight_bytes_per_gpu(facts: Facts, setup: Setup) -> int:
    size = setup.tensor_parallel
    if setup.gpus == 1:
        return facts.weight_bytes
    stage = _stage_share(facts, setup.pipeline_parallel)
    body = stage * (facts.weight_bytes - facts.embedding_bytes)
    whole = min(stage * _whole_bytes(facts), body)
    again = stage * _repeated_bytes(facts, size)
    return ceil((_end_bytes(facts, setup.pipeline_parallel) + body - whole) / size + whole + again)


def _stage_share(facts: Facts, stages: int) -> Fraction:
    if not facts.layers:
        return Fraction(1, stages)
    return Fraction(divided(facts.layers, stages), facts.layers)


def _end_bytes(facts: Facts, stages: int) -> int:
    one_matrix = facts.vocabulary * facts.hidden_size * compute_bytes(facts)
    if stages == 1 or not one_matrix:
        return facts.embedding_bytes
    return min(facts.embedding_bytes, one_matrix)


def _whole_bytes(facts: Facts) -> int:
    elements = facts.layers * facts.hidden_size * (_NORMS_PER_LAYER + facts.experts)
    elements += sum(
        group.count * facts.hidden_size * group.key_size * _LATENT_PROJECTIONS
        for group in facts.groups
        if group.attention is Attention.LATENT
    )
    return elements * compute_bytes(facts)


def _repeated_bytes(facts: Facts, size: int) -> Fraction:
    return sum((_repeated_of_group(facts, group, size) for group in facts.groups), Fraction(0))


def _repeated_of_group(facts: Facts, group: LayerGroup, size: int) -> Fraction:
    if not 0 < group.kv_heads < size:
        return Fraction(0)
    element = Fraction(facts.weight_bytes, max(facts.parameters, 1))
    one_head = group.count * facts.hidden_size * (group.key_size + group.value_size) * element
    return one_head * (1 - Fraction(group.kv_heads, size))
