"""How each engine is told of a setup."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stoker.api.v1alpha1.engine import EngineName
from stoker.core.fit.engine_costs import COSTS, Share
from stoker.core.fit.fit import Fit, usable_bytes
from stoker.core.fit.setup import CacheType


@dataclass(frozen=True)
class _Flags:
    """Names; empty where the engine has none. With `joined`, NAME=VALUE for the environment."""

    context: str = ""
    tensor: str = ""
    pipeline: str = ""
    share: str = ""
    requests: str = ""
    small_cache: tuple[str, ...] = ()
    joined: bool = False
    context_of_all: bool = False  # the context is the sum over all requests


_FLAGS: Mapping[EngineName, _Flags] = MappingProxyType(
    {
        EngineName.VLLM: _Flags(
            "--max-model-len",
            "--tensor-parallel-size",
            "--pipeline-parallel-size",
            "--gpu-memory-utilization",
            "--max-num-seqs",
            ("--kv-cache-dtype", "fp8"),
        ),
        EngineName.SGLANG: _Flags(
            "--context-length",
            "--tp-size",
            "--pp-size",
            "--mem-fraction-static",
            "--max-running-requests",
            ("--kv-cache-dtype", "fp8_e5m2"),
        ),
        EngineName.LLAMACPP: _Flags(
            "--ctx-size",
            requests="--parallel",
            small_cache=("--cache-type-k", "q8_0", "--cache-type-v", "q8_0", "--flash-attn", "on"),
            context_of_all=True,
        ),
        EngineName.OLLAMA: _Flags(
            "OLLAMA_CONTEXT_LENGTH",
            requests="OLLAMA_NUM_PARALLEL",
            small_cache=("OLLAMA_FLASH_ATTENTION=1", "OLLAMA_KV_CACHE_TYPE=q8_0"),
            joined=True,
        ),
        EngineName.TGI: _Flags(
            "--max-total-tokens",
            "--num-shard",
            share="--cuda-memory-fraction",
            requests="--max-concurrent-requests",
            small_cache=("--kv-cache-dtype", "fp8_e4m3fn"),
        ),
        EngineName.TENSORRT_LLM: _Flags(
            "--max_seq_len", "--tp_size", "--pp_size", "--kv_cache_free_gpu_memory_fraction", "--max_batch_size"
        ),
        EngineName.EXLLAMAV2: _Flags("--max-seq-len", small_cache=("--cache-mode", "Q8")),
    }
)


def flags(found: Fit) -> tuple[str, ...]:
    """What a setup implies; nothing for an engine that is set up in another way."""
    setup, names = found.setup, _FLAGS.get(found.setup.engine, _Flags())
    context = found.context_tokens * ((setup.most_requests or 1) if names.context_of_all else 1)
    wanted = [
        (names.context, str(context)),
        (names.tensor, str(setup.tensor_parallel) if setup.tensor_parallel > 1 else ""),
        (names.pipeline, str(setup.pipeline_parallel) if setup.pipeline_parallel > 1 else ""),
        (names.share, f"{_percent(found) / 100:.2f}"),
        (names.requests, str(setup.most_requests or "")),
    ]
    given = [(name, value) for name, value in wanted if name and value]
    small = names.small_cache if setup.cache_type is CacheType.FP8 else ()
    if names.joined:
        return (*(f"{name}={value}" for name, value in given), *small)
    return (*(word for pair in given for word in pair), *small)


def _percent(found: Fit) -> int:
    """Where the share leaves out activations, it must leave room for them."""
    setup = found.setup
    if COSTS[setup.engine].share is Share.ALL or setup.gpu.memory_bytes is None:
        return setup.gpu_memory_percent
    usable = usable_bytes(setup.gpu.memory_bytes)
    beside = found.parts.fixed_bytes - found.parts.weights_bytes
    return max(min(setup.gpu_memory_percent, 100 * (usable - beside) // max(usable, 1)), 1)
