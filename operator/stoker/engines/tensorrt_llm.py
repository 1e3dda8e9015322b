"""TensorRT-LLM's `trtllm-serve` with its PyTorch backend, in the published image."""

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import OFFLINE, above_one, flags, share
from stoker.engines.lacking import ASLEEP, CPU, GPU_ONLY, NO_SLEEP, QUANTIZATION, first_lack
from stoker_runtime.facts import Format

_FOLDER = "/tmp/engine"  # noqa: S108 - the one place that is writable
_LACKS = {
    CPU: GPU_ONLY,
    ASLEEP: NO_SLEEP,
    QUANTIZATION: "takes the quantization of the checkpoint: remove it, and name weights that are quantized so",
}
# It calls the model by the name of its folder. Its metrics are off unless a file turns them on.
_START = f"""
folder=$1 name=$2 options=$3; shift 3
mkdir -p {_FOLDER}
ln -sfn "$folder" "{_FOLDER}/${{name##*/}}"
printf '%s' "$options" > {_FOLDER}/options.yaml
exec trtllm-serve serve "{_FOLDER}/${{name##*/}}" "$@"
"""


class TensorRtLlm:
    """Its share of memory is of what the weights leave free."""

    formats = frozenset({Format.SAFETENSORS})
    image = "nvcr.io/nvidia/tensorrt-llm/release:1.2.1"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "TensorRT-LLM", _LACKS):
            return refusal
        return Server(
            command=("/bin/sh", "-euc", _START, "trtllm-serve", model.path, model.served_name, _options(spec)),
            args=(*_arguments(spec, model), *spec.engine.args),
            port=model.listen.port,
            health_path="/health",
            metrics_path="/prometheus/metrics",  # its /metrics is a list of iterations in JSON
            env=OFFLINE | {"TRTLLM_NO_USAGE_STATS": "1"},
            metrics="tensorrt-llm",
            drains=True,
        )


def _options(spec: Spec) -> str:
    return f"return_perf_metrics: true\nenable_iter_perf_stats: true\ndtype: {spec.engine.dtype.value}\n"


def _arguments(spec: Spec, model: MountedModel) -> list[str]:
    """Its flags are spelled with underscores."""
    engine = spec.engine
    return flags(
        ("--host", model.listen.host),
        ("--port", model.listen.port),
        ("--max_seq_len", engine.context_length),
        ("--max_batch_size", engine.max_concurrency),
        ("--kv_cache_free_gpu_memory_fraction", share(engine.gpu_memory_percent)),
        ("--tp_size", above_one(engine.tensor_parallel)),
        ("--pp_size", above_one(engine.pipeline_parallel)),
        ("--trust_remote_code", spec.model.trust_remote_code),
        ("--extra_llm_api_options", f"{_FOLDER}/options.yaml"),
    )
