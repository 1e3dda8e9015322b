"""The engine of a model that real vLLM serves on the processor, from Stoker's runtime image."""

from typing import Any


def on_the_processor(context_tokens: int, *arguments: str) -> dict[str, Any]:
    return {
        "name": "vllm",
        "image": None,
        "custom": None,
        "contextLength": context_tokens,
        "maxConcurrency": 8,
        "dtype": "bfloat16",
        "args": [
            "--enforce-eager",
            "--distributed-executor-backend=uni",
            "--kv-cache-memory-bytes=64M",
            *arguments,
        ],
        "env": [
            {"name": "VLLM_ENABLE_V1_MULTIPROCESSING", "value": "0"},
            {"name": "OMP_NUM_THREADS", "value": "1"},
            # Some of vLLM's functions are compiled at their first call, for which the image has no compiler.
            {"name": "TORCHDYNAMO_DISABLE", "value": "1"},
        ],
    }
