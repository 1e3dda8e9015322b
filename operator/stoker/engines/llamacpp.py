"""llama.cpp's `llama-server`, in its published image."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import flags
from stoker.engines.gguf import CHOOSE, chosen
from stoker.engines.lacking import ASLEEP, CONCURRENCY, DTYPE, MEMORY, NO_SLEEP, QUANTIZATION, first_lack, refused
from stoker_runtime.facts import Format

_LACKS = {
    MEMORY: "takes what the model and its cache need: remove it, and set spec.engine.contextLength to bound the cache",
    DTYPE: "computes in the types of the GGUF: remove it",
    QUANTIZATION: "takes the quantization of the GGUF: remove it, and choose a file with spec.model.files.include",
    ASLEEP: NO_SLEEP,
}
# The published image has its programs in /app, which is not on its path.
_START = f"""
folder=$1; shift
{CHOOSE}
[ -z "$projector" ] || set -- --mmproj "$projector" "$@"
PATH=/app:$PATH exec llama-server --model "$model" "$@"
"""


class LlamaCpp:
    """One file, on CPUs or GPUs. The cache of all requests is set aside at the start."""

    formats = frozenset({Format.GGUF})
    image = "ghcr.io/ggml-org/llama.cpp:server-cuda-b11243"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        refusal = first_lack(spec, "llama.cpp", _LACKS) or _undivided(spec)
        gguf = refusal or chosen(model)
        if isinstance(gguf, Refusal):
            return gguf
        arguments = (*_arguments(spec, model), *spec.engine.args)
        command: tuple[str, ...] = ()
        if gguf is None:
            command = ("/bin/sh", "-euc", _START, "llama-server", model.path)
        else:
            arguments = (*flags(("--model", gguf.model), ("--mmproj", gguf.projector)), *arguments)
        return Server(
            command=command,
            args=arguments,
            port=model.listen.port,
            health_path="/health",
            metrics_path="/metrics",
            metrics="llamacpp",
            lora=True,
        )


def _undivided(spec: Spec) -> Refusal | None:
    """Without a length, the model's own would be divided among the requests."""
    engine = spec.engine
    if (engine.max_concurrency or 1) == 1 or engine.context_length is not None:
        return None
    why = "llama.cpp divides one cache among them: set spec.engine.contextLength to the tokens that each may have"
    return refused(CONCURRENCY, spec, why)


def _arguments(spec: Spec, model: MountedModel) -> list[str]:
    """--ctx-size is the sum over all requests: contextLength * maxConcurrency."""
    engine = spec.engine
    requests = engine.max_concurrency or 1
    return flags(
        ("--host", model.listen.host),
        ("--port", model.listen.port),
        ("--alias", model.served_name),
        ("--parallel", requests),
        ("--ctx-size", engine.context_length * requests if engine.context_length else None),
        ("--n-gpu-layers", "all" if spec.accelerator.count else "0"),
        ("--fit", "off"),  # it would shorten the context or leave layers on the CPU without a word
        ("--metrics", True),
        ("--no-webui", True),
        ("--offline", True),
    )
