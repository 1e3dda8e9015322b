"""ExLlamaV2 behind TabbyAPI, in its published image."""

from pathlib import PurePosixPath

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import OFFLINE, flags
from stoker.engines.lacking import (
    ASLEEP,
    CONCURRENCY,
    CPU,
    DTYPE,
    GPU_ONLY,
    MEMORY,
    NO_SLEEP,
    QUANTIZATION,
    first_lack,
    refused,
)
from stoker_runtime.facts import Format

_PAGE_TOKENS = 256  # its cache is made of pages
_LACKS = {
    CPU: GPU_ONLY,
    MEMORY: "takes what the model and its cache need: remove it, and set spec.engine.contextLength to bound the cache",
    DTYPE: "computes in float16: remove it",
    QUANTIZATION: "takes the quantization of the weights: remove it",
    ASLEEP: NO_SLEEP,
}


class ExLlamaV2:
    """Weights in EXL2 or GPTQ. It answers to any name."""

    formats = frozenset({Format.SAFETENSORS})
    image = "ghcr.io/theroyallab/tabbyapi:latest"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "TabbyAPI", _LACKS) or _unsized(spec):
            return refusal
        return Server(
            # The image starts Python.
            args=("main.py", *_arguments(spec, model), *spec.engine.args),
            port=model.listen.port,
            health_path="/health",
            metrics_path="/metrics",
            env=OFFLINE,
            metrics="exllamav2",
        )


def _unsized(spec: Spec) -> Refusal | None:
    engine = spec.engine
    if (engine.max_concurrency or 1) == 1 or engine.context_length is not None:
        return None
    why = "TabbyAPI sets one cache aside for them: set spec.engine.contextLength to the tokens that each may have"
    return refused(CONCURRENCY, spec, why)


def _cache_tokens(spec: Spec) -> int | None:
    """contextLength * maxConcurrency, in whole pages."""
    tokens = (spec.engine.context_length or 0) * (spec.engine.max_concurrency or 1)
    return -(-tokens // _PAGE_TOKENS) * _PAGE_TOKENS or None


def _arguments(spec: Spec, model: MountedModel) -> list[str]:
    folder, engine = PurePosixPath(model.path), spec.engine
    return flags(
        ("--host", model.listen.host),
        ("--port", model.listen.port),
        ("--disable-auth", "true"),
        ("--model-dir", folder.parent),
        ("--model-name", folder.name),
        ("--use-dummy-models", "true"),  # /v1/models shows the served name
        ("--dummy-model-names", model.served_name),
        # -1: what the model was made for; left out, it is 4096.
        (f"--max-seq-len={engine.context_length or -1}", True),
        ("--cache-size", _cache_tokens(spec)),
        ("--max-batch-size", engine.max_concurrency),
        ("--tensor-parallel", "true" if engine.tensor_parallel > 1 else None),
    )
