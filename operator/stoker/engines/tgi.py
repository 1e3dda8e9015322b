"""Hugging Face's Text Generation Inference, in its published image."""

from stoker.api.v1alpha1.engine import DataType
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import MountedModel, Refusal, Server
from stoker.engines.flags import OFFLINE, flags, share
from stoker.engines.lacking import ASLEEP, DTYPE, NO_SLEEP, QUANTIZATION, first_lack, refused
from stoker_runtime.facts import Format

_QUANTIZATIONS = (
    *("awq", "bitsandbytes", "bitsandbytes-fp4", "bitsandbytes-nf4", "compressed-tensors"),
    *("eetq", "exl2", "fp8", "gptq", "marlin"),
)
_ENV = OFFLINE | {
    "HUGGINGFACE_HUB_CACHE": "/tmp/hub",  # noqa: S108 - the one place that is writable
    "USAGE_STATS": "off",
}


class Tgi:
    """No longer developed by its publisher. It answers to any name."""

    formats = frozenset({Format.SAFETENSORS})
    image = "ghcr.io/huggingface/text-generation-inference:3.3.6"

    def server(self, spec: Spec, model: MountedModel) -> Server | Refusal:
        if refusal := first_lack(spec, "TGI", {ASLEEP: NO_SLEEP}) or _unknown_value(spec):
            return refusal
        return Server(
            args=(*_arguments(spec, model), *spec.engine.args),
            port=model.listen.port,
            health_path="/info",  # its /health runs the model after a failure
            metrics_path="/metrics",
            env=_ENV,
            metrics="tgi",
            drains=True,
            lora=True,
        )


def _unknown_value(spec: Spec) -> Refusal | None:
    engine = spec.engine
    if engine.dtype == DataType.FLOAT32:
        return refused(DTYPE, spec, "TGI computes in float16 or bfloat16: use one of them, or engine transformers")
    if engine.quantization is None:
        return None
    if engine.quantization not in _QUANTIZATIONS:
        return refused(QUANTIZATION, spec, f"TGI knows {', '.join(_QUANTIZATIONS)}: use one of them, or remove it")
    if engine.dtype != DataType.AUTO:
        return refused(QUANTIZATION, spec, "TGI takes no type beside it: remove spec.engine.dtype")
    return None


def _arguments(spec: Spec, model: MountedModel) -> list[str]:
    engine, on_gpu = spec.engine, spec.accelerator.count > 0
    context = engine.context_length
    return flags(
        ("--model-id", model.path),
        ("--hostname", model.listen.host),
        ("--port", model.listen.port),
        ("--num-shard", engine.tensor_parallel if on_gpu else None),  # left out, it takes all GPUs
        ("--max-total-tokens", context),
        ("--max-input-tokens", context - 1 if context else None),
        ("--max-concurrent-requests", engine.max_concurrency),
        ("--cuda-memory-fraction", share(engine.gpu_memory_percent) if on_gpu else None),
        ("--dtype", None if engine.dtype == DataType.AUTO else engine.dtype.value),
        ("--quantize", engine.quantization),
        ("--trust-remote-code", spec.model.trust_remote_code),
    )
