"""What an engine cannot be told, as a sentence that names the field and what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stoker.api.v1alpha1.engine import DataType, Engine
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import Refusal

_DEFAULT_PERCENT = Engine().gpu_memory_percent


@dataclass(frozen=True)
class Setting:
    """One field of the spec. Where it holds its default, nobody asked for anything."""

    field: str
    value: Callable[[Spec], object]
    asked: Callable[[Spec], bool]


CONTEXT = Setting(
    "spec.engine.contextLength",
    lambda spec: spec.engine.context_length,
    lambda spec: spec.engine.context_length is not None,
)
CONCURRENCY = Setting(
    "spec.engine.maxConcurrency",
    lambda spec: spec.engine.max_concurrency,
    lambda spec: spec.engine.max_concurrency is not None,
)
MEMORY = Setting(
    "spec.engine.gpuMemoryPercent",
    lambda spec: spec.engine.gpu_memory_percent,
    lambda spec: spec.engine.gpu_memory_percent != _DEFAULT_PERCENT,
)
DTYPE = Setting(
    "spec.engine.dtype",
    lambda spec: spec.engine.dtype,
    lambda spec: spec.engine.dtype != DataType.AUTO,
)
QUANTIZATION = Setting(
    "spec.engine.quantization",
    lambda spec: spec.engine.quantization,
    lambda spec: spec.engine.quantization is not None,
)
ASLEEP = Setting(
    "spec.scaling.asleepReplicas",
    lambda spec: spec.scaling.asleep_replicas,
    lambda spec: spec.scaling.asleep_replicas > 0,
)
CPU = Setting(
    "spec.accelerator.count",
    lambda spec: spec.accelerator.count,
    lambda spec: spec.accelerator.count == 0,
)
NO_SLEEP = "cannot sleep: use spec.scaling.warmReplicas, or engine vllm"
GPU_ONLY = "runs on GPUs only: set it to 1 or more, or use engine vllm or llamacpp"


def refused(setting: Setting, spec: Spec, why: str) -> Refusal:
    """`why` begins with the engine's name, and ends with what to do."""
    return Refusal(Reason.ENGINE_NOT_SUPPORTED, f"{setting.field} is {setting.value(spec)}, and {why}.")


def first_lack(spec: Spec, engine: str, lacks: Mapping[Setting, str]) -> Refusal | None:
    """`lacks` goes on after the engine's name, for each setting that the engine does not have."""
    return next(
        (refused(setting, spec, f"{engine} {why}") for setting, why in lacks.items() if setting.asked(spec)), None
    )
