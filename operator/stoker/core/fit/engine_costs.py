"""What each engine needs beside weights and KV cache, and how it sets memory aside.

The figures are read from start-up logs that people published. They are rounded up, since too little found here stops a
pod from starting while too much only names a GPU that is a little too large.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from stoker.api.v1alpha1.engine import EngineName

MIB, GIB = 1 << 20, 1 << 30

# CUDA context, kernels, cuBLAS and attention workspaces. vLLM prints non-torch memory of 0.16 to 0.39 GiB beside the
# context (vllm-project/vllm pull requests 12126 and 14447, issue 11251).
_FRAMEWORK = 768 * MIB
# Buffers of NCCL and of the one-shot all-reduce, on each GPU as soon as there are two. vLLM printed up to 1.8 GiB more
# non-torch memory with two GPUs than with one in 2024 (pull request 10511), and 0.2 to 0.4 GiB in all since.
_COLLECTIVES = 768 * MIB
# Captured graphs: vLLM estimates 0.17 to 0.36 GiB for piecewise graphs (gpustack/runner pull request 251), and more
# with full ones, for which this leaves room: 0.6 GiB for 32 layers, 1.4 GiB for 80.
_GRAPH_PER_LAYER = 16 * MIB
_GRAPH_BASE = 128 * MIB
# vLLM takes more tokens a step, and more requests, on GPUs of at least this size (EngineArgs' default batch sizes).
LARGE_GPU_BYTES = 70 * GIB


class Share(StrEnum):
    """What the percentage of GPU memory counts."""

    ALL = "all"  # everything that the engine uses
    WEIGHTS_AND_CACHE = "weights and cache"  # the rest is taken from what is left beside


@dataclass(frozen=True)
class EngineCost:
    """One engine's appetite."""

    framework_bytes: int = _FRAMEWORK
    collective_bytes: int = _COLLECTIVES
    graph_base_bytes: int = _GRAPH_BASE
    graph_bytes_per_layer: int = _GRAPH_PER_LAYER
    step_tokens: int = 2048  # that one step computes at most
    large_step_tokens: int = 8192  # the same on a large GPU
    most_requests: int = 256
    large_most_requests: int = 1024
    logits_of_all_tokens: bool = False  # instead of one row for each request
    reserves_every_request: bool = False  # cache for all requests at full length, from the start
    bounds_windows: bool = True  # layers with a sliding window keep no more than the window
    share: Share = Share.ALL
    small_cache_bits: int | None = 8  # of the smaller KV cache; None: the engine has none


_VLLM = EngineCost()
_SGLANG = replace(_VLLM, share=Share.WEIGHTS_AND_CACHE)
# Without graphs over batches: a compute buffer for 512 tokens at a time, logits among it; q8_0 keeps 8.5 bits.
_LLAMACPP = EngineCost(
    framework_bytes=512 * MIB,
    collective_bytes=0,
    graph_base_bytes=0,
    graph_bytes_per_layer=0,
    step_tokens=512,
    large_step_tokens=512,
    most_requests=1,
    large_most_requests=1,
    logits_of_all_tokens=True,
    reserves_every_request=True,
    small_cache_bits=9,
)
_TGI = replace(_VLLM, step_tokens=4096, large_step_tokens=8192, large_most_requests=256, bounds_windows=False)
_TENSORRT = replace(_VLLM, step_tokens=8192, large_step_tokens=8192, most_requests=2048, large_most_requests=2048)
_TRANSFORMERS = replace(
    _LLAMACPP,
    framework_bytes=_FRAMEWORK,
    step_tokens=2048,
    large_step_tokens=2048,
    bounds_windows=False,
    small_cache_bits=None,
)

COSTS: Mapping[EngineName, EngineCost] = MappingProxyType(
    {
        EngineName.VLLM: _VLLM,
        EngineName.SGLANG: _SGLANG,
        EngineName.LLAMACPP: _LLAMACPP,
        EngineName.OLLAMA: _LLAMACPP,
        EngineName.TGI: _TGI,
        EngineName.TRITON: _VLLM,  # its vLLM backend
        EngineName.TENSORRT_LLM: replace(_TENSORRT, small_cache_bits=None),  # set when the engine is built
        EngineName.TRANSFORMERS: _TRANSFORMERS,
        EngineName.EXLLAMAV2: replace(_LLAMACPP, framework_bytes=_FRAMEWORK, step_tokens=2048, large_step_tokens=2048),
        EngineName.BENTOML: _VLLM,  # most often vLLM within
        EngineName.CUSTOM: _VLLM,
        EngineName.SIMULATED: _VLLM,
    }
)
