"""Triton Inference Server with its vLLM backend, behind its own OpenAI frontend, in the published image.

Triton serves a repository of models: a folder for each, with a config.pbtxt and, for the vLLM backend, a model.json of
vLLM's engine arguments. It is made in scratch at the start.
"""

import json

from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import OFFLINE, flags
from stoker.engines.lacking import ASLEEP, CPU, GPU_ONLY, NO_SLEEP, first_lack
from stoker_runtime.facts import Format

_LACKS = {CPU: GPU_ONLY, ASLEEP: NO_SLEEP}
_REPOSITORY = "/tmp/triton"  # noqa: S108 - the one place that is writable
# KIND_MODEL leaves the choice of GPUs to vLLM, which alone can use several.
_CONFIGURATION = """backend: "vllm"
instance_group [ { count: 1 kind: KIND_MODEL } ]
parameters: { key: "REPORT_CUSTOM_METRICS" value: { string_value: "true" } }
"""
_START = f"""
name=$1 model=$2 configuration=$3; shift 3
mkdir -p "{_REPOSITORY}/$name/1"
printf '%s' "$model" > "{_REPOSITORY}/$name/1/model.json"
printf '%s' "$configuration" > "{_REPOSITORY}/$name/config.pbtxt"
cd /opt/tritonserver/python/openai
exec python3 openai_frontend/main.py "$@"
"""


class Triton:
    """For teams that run Triton anyway; vLLM alone is the same engine with less around it."""

    formats = frozenset({Format.SAFETENSORS, Format.PICKLE})
    image = "nvcr.io/nvidia/tritonserver:26.07-vllm-python-py3"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "Triton's vLLM backend", _LACKS) or _unfit_name(model.served_name):
            return refusal
        described = json.dumps(engine_arguments(spec, model), sort_keys=True)
        return Server(
            command=("/bin/sh", "-euc", _START, "triton", model.served_name, described, _CONFIGURATION),
            args=(*_arguments(model), *spec.engine.args),
            port=model.listen.port,
            health_path="/health/ready",
            metrics_path="/metrics",
            env=OFFLINE | {"VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"},
            metrics="triton",
            drains=True,
        )


def engine_arguments(spec: Spec, model: MountedModel) -> dict[str, object]:
    """model.json: the fields of vLLM's AsyncEngineArgs."""
    engine = spec.engine
    wanted: dict[str, object] = {
        "model": model.path,
        "served_model_name": model.served_name,
        "gpu_memory_utilization": engine.gpu_memory_percent / 100,
        "tensor_parallel_size": engine.tensor_parallel,
        "pipeline_parallel_size": engine.pipeline_parallel,
        "max_model_len": engine.context_length,
        "max_num_seqs": engine.max_concurrency,
        "dtype": engine.dtype.value,
        "quantization": engine.quantization,
        "trust_remote_code": spec.model.trust_remote_code,
        "disable_log_stats": False,  # or there are no metrics
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _unfit_name(name: str) -> Refusal | None:
    if "/" not in name:
        return None
    return Refusal(
        Reason.ENGINE_NOT_SUPPORTED,
        f"spec.model.servedName is {name}, and the name of a model is a folder for Triton: use a name without /.",
    )


def _arguments(model: MountedModel) -> list[str]:
    return flags(
        ("--model-repository", _REPOSITORY),
        ("--tokenizer", model.path),
        ("--backend", "vllm"),
        ("--host", model.listen.host),
        ("--openai-port", model.listen.port),
    )
