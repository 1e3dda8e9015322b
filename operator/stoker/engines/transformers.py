"""Hugging Face's `transformers serve`, in Stoker's runtime image."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import OFFLINE, flags, share
from stoker.engines.lacking import (
    ASLEEP,
    CONCURRENCY,
    CONTEXT,
    MEMORY,
    NO_SLEEP,
    QUANTIZATION,
    first_lack,
    refused,
)
from stoker_runtime.facts import Format

_QUANTIZATIONS = ("bnb-4bit", "bnb-8bit")
_LACKS = {
    CONTEXT: "takes the length of the model: remove it, or use engine vllm",
    CONCURRENCY: "runs what its cache holds: remove it, or use engine vllm",
    ASLEEP: NO_SLEEP,
}
_HUB = "/tmp/hub"  # noqa: S108 - the one place that is writable
# It refuses requests for any other name than the one it was started with, and takes a folder of that name for the
# model: so the folder gets the name. /v1/models shows the hub's cache, and fails where there is none.
_START = f"""
folder=$1 name=$2; shift 2
mkdir -p "$(dirname "/tmp/serving/$name")"
ln -sfn "$folder" "/tmp/serving/$name"
listed="{_HUB}/models--$(printf %s "$name" | sed 's|/|--|g')"
mkdir -p "$listed/refs" "$listed/snapshots/main"
printf main > "$listed/refs/main"
ln -sfn "$folder/config.json" "$listed/snapshots/main/config.json"
cd /tmp/serving
exec python3 -m transformers.cli.transformers serve "$name" "$@"
"""


class Transformers:
    """Runs models that no other engine knows yet. It has no metrics."""

    formats = frozenset({Format.SAFETENSORS, Format.PICKLE})
    image = None

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "transformers serve", _LACKS) or _unknown_value(spec):
            return refusal
        return Server(
            command=("/bin/sh", "-euc", _START, "transformers", model.path, model.served_name),
            args=(*_arguments(spec, model), *spec.engine.args),
            port=model.listen.port,
            health_path="/health",  # the port opens when the model is loaded
            metrics_path="/metrics",
            env=OFFLINE | {"HF_HUB_CACHE": _HUB},
            drains=True,
        )


def _unknown_value(spec: Spec) -> Refusal | None:
    quantization = spec.engine.quantization
    if quantization is not None and quantization not in _QUANTIZATIONS:
        why = (
            "transformers serve quantizes by bnb-4bit and bnb-8bit: use one of them, or remove it for weights that are"
        )
        return refused(QUANTIZATION, spec, f"{why} quantized already")
    if MEMORY.asked(spec) and not spec.accelerator.count:
        return refused(MEMORY, spec, "transformers serve has no cache of fixed size on the CPU: remove it")
    return None


def _arguments(spec: Spec, model: MountedModel) -> list[str]:
    engine, on_gpu = spec.engine, spec.accelerator.count > 0
    return flags(
        ("--host", model.listen.host),
        ("--port", model.listen.port),
        ("--device", "auto" if on_gpu else "cpu"),
        ("--dtype", engine.dtype.value),
        ("--quantization", engine.quantization),
        ("--trust-remote-code", spec.model.trust_remote_code),
        # Without it, one request is computed at a time.
        ("--continuous-batching", on_gpu),
        ("--cb-max-memory-percent", share(engine.gpu_memory_percent) if on_gpu else None),
    )
