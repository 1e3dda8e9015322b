"""How a model shall run: the engine, the GPUs, how it is spread over them, and what it shall hold."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from stoker.api.v1alpha1.engine import PIPELINE_PARALLEL_ENGINES, TENSOR_PARALLEL_ENGINES, EngineName
from stoker.core.counted import counted
from stoker.core.fit.gpu import Gpu
from stoker_runtime.facts import Attention, Facts, Format
from stoker_runtime.inspect.engines import why_not

MOST_STAGES = 8


class CacheType(StrEnum):
    """How the KV cache is stored."""

    AUTO = "auto"  # as the model computes
    FP8 = "fp8"


@dataclass(frozen=True)
class Setup:
    """One way to run a model."""

    gpu: Gpu
    engine: EngineName = EngineName.VLLM
    tensor_parallel: int = 1
    pipeline_parallel: int = 1  # for an engine that puts whole layers on each GPU: the number of GPUs
    context_tokens: int | None = None  # None: the model's own, or less where only less fits
    most_requests: int | None = None  # that run at once; None: the engine's default
    full_requests: int = 1  # of full length that the KV cache must hold
    gpu_memory_percent: int = 90
    cache_type: CacheType = CacheType.AUTO

    @property
    def gpus(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel

    @property
    def splits_layers(self) -> bool:
        return self.engine not in NOT_SPLITTING

    def spread(self, tensor_parallel: int, pipeline_parallel: int) -> Self:
        return replace(self, tensor_parallel=tensor_parallel, pipeline_parallel=pipeline_parallel)


# A server that nobody described may split in any way, so nothing is refused for it.
_ANY = (EngineName.CUSTOM, EngineName.BENTOML)
NOT_SPLITTING = frozenset(name for name in EngineName if name not in (*TENSOR_PARALLEL_ENGINES, *_ANY))
# llama.cpp and Ollama put whole layers on each GPU, which is a pipeline in all but name.
_STAGES = frozenset(
    (*PIPELINE_PARALLEL_ENGINES, *_ANY, EngineName.LLAMACPP, EngineName.OLLAMA, EngineName.TRANSFORMERS)
)


def splits_evenly(facts: Facts, tensor_parallel: int) -> bool:
    """Whether query heads can be dealt out, and key and value heads either dealt out or repeated."""
    return facts.attention_heads % tensor_parallel == 0 and all(
        heads % tensor_parallel == 0 or tensor_parallel % heads == 0 for heads in _key_value_heads(facts)
    )


def obstacles(facts: Facts, setup: Setup) -> tuple[str, ...]:
    """Why the engine would refuse this setup, however much memory there is."""
    found = []
    size, stages = setup.tensor_parallel, setup.pipeline_parallel
    if size > 1 and not setup.splits_layers:
        found.append(
            f"{setup.engine} does not split layers over GPUs by tensorParallel {size}: spread whole layers over"
            f" {counted(size * stages, 'GPU')} instead"
        )
    elif not splits_evenly(facts, size):
        heads = " and ".join(str(count) for count in _key_value_heads(facts))
        found.append(
            f"tensorParallel {size} does not divide the {facts.attention_heads} attention heads, or neither divides nor"
            f" is divided by the {heads} KV heads: use {_any_of(even_splits(facts))}"
        )
    if stages > 1 and setup.engine not in _STAGES:
        found.append(f"{setup.engine} has no pipeline stages: set pipelineParallel to 1 instead of {stages}")
    elif facts.layers and stages > facts.layers:
        found.append(
            f"pipelineParallel {stages} is more than the {counted(facts.layers, 'layer')}: use at most {facts.layers}"
        )
    # A GGUF brings its own, and weights of another format are refused before: nothing in the listing is for the engine.
    packed = facts.quantization if facts.format is not Format.GGUF else None
    if packed and (reason := why_not(setup.engine, facts.format, packed)):
        found.append(reason)
    limit = facts.context_length
    if setup.context_tokens is not None and limit is not None and setup.context_tokens > limit:
        found.append(
            f"contextLength {setup.context_tokens:,} is more than the {limit:,} tokens that the model was made for:"
            f" use at most {limit:,}"
        )
    return tuple(found)


def even_splits(facts: Facts) -> list[int]:
    return [size for size in (1, 2, 4, 8) if splits_evenly(facts, size)]


def spreads(facts: Facts, setup: Setup) -> Iterator[Setup]:
    """The same setup over 1, 2, 4, 8 GPUs of one node, then over more in stages; fewest GPUs first."""
    sizes = even_splits(facts) if setup.splits_layers else [1]
    stages = [1, 2, 4, MOST_STAGES] if setup.engine in _STAGES else [1]
    if facts.layers:
        stages = [count for count in stages if count <= facts.layers]
    floor = setup.pipeline_parallel
    found = [(size, max(floor, 1)) for size in sizes]
    found += [(sizes[-1], count) for count in stages if count > floor]
    for size, count in found:
        yield setup.spread(size, count)


def _key_value_heads(facts: Facts) -> list[int]:
    split = (Attention.FULL, Attention.SLIDING)
    return sorted({group.kv_heads for group in facts.groups if group.attention in split and group.kv_heads})


def _any_of(sizes: list[int]) -> str:
    *first, last = (str(size) for size in sizes)
    return f"{', '.join(first)} or {last}" if first else last
