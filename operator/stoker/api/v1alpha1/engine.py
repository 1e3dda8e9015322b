"""spec.engine: which model server runs, and how it is set up."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stoker.api.declaration import ATOMIC, ApiModel, Rule, Unit, map_by, matching
from stoker.api.v1alpha1.engine_flags import REPEATED_FLAG_RULES
from stoker.api.v1alpha1.names import ObjectName, ShortText
from stoker.api.values.image import ImageReference


class EngineName(StrEnum):
    """The model servers that Stoker knows how to run."""

    VLLM = "vllm"
    SGLANG = "sglang"
    LLAMACPP = "llamacpp"
    OLLAMA = "ollama"
    TGI = "tgi"
    TRITON = "triton"
    TENSORRT_LLM = "tensorrt-llm"
    TRANSFORMERS = "transformers"
    EXLLAMAV2 = "exllamav2"
    BENTOML = "bentoml"
    CUSTOM = "custom"
    SIMULATED = "simulated"


class DataType(StrEnum):
    """The type that weights are computed in."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT32 = "float32"


# Engines that split every layer over the GPUs of a pod. The others spread a model over its GPUs in their own way.
TENSOR_PARALLEL_ENGINES = (
    EngineName.VLLM,
    EngineName.SGLANG,
    EngineName.TGI,
    EngineName.TRITON,
    EngineName.TENSORRT_LLM,
    EngineName.EXLLAMAV2,
    EngineName.SIMULATED,
)
# Engines that can also split the layers into stages, which may stand on several nodes.
PIPELINE_PARALLEL_ENGINES = (
    EngineName.VLLM,
    EngineName.SGLANG,
    EngineName.TRITON,
    EngineName.TENSORRT_LLM,
    EngineName.SIMULATED,
)


def cel_list(names: tuple[EngineName, ...]) -> str:
    return "[" + ", ".join(f"'{name}'" for name in names) + "]"


ConfigurationKey = Annotated[
    str,
    Field(min_length=1, max_length=253),
    matching("[-._A-Za-z0-9]+", "{self} cannot be a key: use letters, digits, '-', '_' and '.'"),
]
VariableName = Annotated[
    str,
    Field(min_length=1, max_length=256),
    matching(
        "[A-Za-z_][A-Za-z0-9_]*",
        "{self} cannot be the name of a variable: use letters, digits and '_', and start with a letter or '_'",
    ),
]
AbsolutePath = Annotated[
    str,
    Field(min_length=1, max_length=256),
    matching(r"/[^\s?#]*", "{self} is not a path on the server: start it with / and leave out spaces, ? and #"),
]
Quantization = Annotated[
    str,
    Field(min_length=1, max_length=64),
    matching(
        "[A-Za-z0-9][A-Za-z0-9_.-]*",
        "{self} is not the name of a quantization: write it as the engine does, such as fp8, awq or Q4_K_M",
    ),
]


class KeyReference(ApiModel):
    """One key of a Secret or ConfigMap in the same namespace."""

    name: ObjectName = Field(examples=["engine-settings"])
    """Name of the object."""

    key: ConfigurationKey = Field(examples=["api-key"])
    """Key inside it."""

    optional: bool = Field(default=False, examples=[False])
    """Whether the variable is left out where the object or key does not exist. Otherwise the pod waits for it."""


class VariableSource(ApiModel):
    """Where a variable's value comes from: exactly one of its fields."""

    exactly_one_of = ("secret_key_ref", "config_map_key_ref")

    secret_key_ref: KeyReference | None = Field(None, examples=[{"name": "engine-secrets", "key": "api-key"}])
    """A key of a Secret."""

    config_map_key_ref: KeyReference | None = Field(None, examples=[{"name": "engine-settings", "key": "log-level"}])
    """A key of a ConfigMap."""


class Variable(ApiModel):
    """One environment variable of the engine."""

    rules = (
        Rule(
            cel="!(has(self.value) && has(self.valueFrom))",
            holds=lambda variable: variable.value is None or variable.value_from is None,
            says="{self.name} has both value and valueFrom: keep one of them",
        ),
    )

    name: VariableName = Field(examples=["VLLM_LOGGING_LEVEL"])
    """Name of the variable."""

    value: Annotated[str, Field(max_length=4096)] | None = Field(None, examples=["DEBUG"])
    """Value of the variable. Absent, and without `valueFrom`: empty."""

    value_from: VariableSource | None = Field(None, examples=[{"secretKeyRef": {"name": "s", "key": "k"}}])
    """A Secret or ConfigMap that has the value."""


class CustomServer(ApiModel):
    """How to talk to a server that Stoker does not know. It must speak the OpenAI API to be scaled by its queue."""

    command: Annotated[tuple[ShortText, ...], ATOMIC] = Field((), max_length=64, examples=[["/app/serve", "--fast"]])
    """Command to start. Empty: the image's own. `engine.args` follows it."""

    port: Annotated[int, Unit("port number")] = Field(8080, ge=1, le=65_535, examples=[8080])
    """Port that the server listens on inside the pod."""

    health_path: AbsolutePath = Field("/health", examples=["/healthz"])
    """Path that answers 200 when the model is loaded, without running it."""

    metrics_path: AbsolutePath = Field("/metrics", examples=["/metrics"])
    """Path of the server's own Prometheus metrics, where it has any."""


class Engine(ApiModel):
    """The model server and its settings."""

    rules = (
        *REPEATED_FLAG_RULES,
        Rule(
            cel=f"self.tensorParallel == 1 || self.name in {cel_list(TENSOR_PARALLEL_ENGINES)}",
            holds=lambda engine: engine.tensor_parallel == 1 or engine.name in TENSOR_PARALLEL_ENGINES,
            says="{self.name} does not split layers over GPUs by tensorParallel {self.tensorParallel}:"
            " remove tensorParallel, and set accelerator.count to the GPUs that it should spread over",
            at=".tensorParallel",
        ),
        Rule(
            cel=f"self.pipelineParallel == 1 || self.name in {cel_list(PIPELINE_PARALLEL_ENGINES)}",
            holds=lambda engine: engine.pipeline_parallel == 1 or engine.name in PIPELINE_PARALLEL_ENGINES,
            says="{self.name} has no pipeline stages: remove pipelineParallel {self.pipelineParallel},"
            f" or use one of {', '.join(PIPELINE_PARALLEL_ENGINES)}",
            at=".pipelineParallel",
        ),
        Rule(
            cel="self.name != 'custom' || has(self.image)",
            holds=lambda engine: engine.name != EngineName.CUSTOM or engine.image is not None,
            says="engine custom has no default image: set engine.image",
        ),
        Rule(
            cel="self.name == 'custom' || !has(self.custom)",
            holds=lambda engine: engine.name == EngineName.CUSTOM or engine.custom is None,
            says="custom describes a server that Stoker does not know, but the engine is {self.name}:"
            " remove custom, or set engine.name to custom",
            at=".custom",
        ),
    )

    name: EngineName = Field(EngineName.VLLM, examples=["vllm"])
    """The model server."""

    image: ImageReference | None = Field(None, examples=["registry.example.com/stoker/vllm@sha256:" + 64 * "0"])
    """Image of the engine. Absent: the operator's configuration has one for each engine."""

    context_length: Annotated[int | None, Unit("tokens")] = Field(None, ge=16, le=16_777_216, examples=[8192])
    """Longest prompt and answer together. Absent: what the model was made for, or less where only less fits."""

    tensor_parallel: Annotated[int, Unit("GPUs")] = Field(1, ge=1, le=64, examples=[4])
    """GPUs that every layer is split over. They stand in one pod, so `accelerator.count` must follow."""

    pipeline_parallel: Annotated[int, Unit("stages")] = Field(1, ge=1, le=64, examples=[2])
    """Stages that the layers are split into. A replica whose stages need more GPUs than `accelerator.count` spans
    several pods."""

    quantization: Quantization | None = Field(None, examples=["fp8"])
    """Quantization, as the engine names it. Absent: what the weights say of themselves."""

    dtype: DataType = Field(DataType.AUTO, examples=["bfloat16"])
    """Type to compute in. auto takes the type of the weights."""

    max_concurrency: Annotated[int | None, Unit("requests")] = Field(None, ge=1, le=65_536, examples=[256])
    """Requests that one replica runs at once. Absent: the engine's default, bounded by what the KV cache holds."""

    gpu_memory_percent: int = Field(90, ge=10, le=99, examples=[90])
    """Share of the GPU's memory that the engine may fill with weights and KV cache."""

    args: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...], ATOMIC] = Field(
        (), max_length=64, examples=[["--enable-prefix-caching"]]
    )
    """More arguments for the engine, within what the operator's configuration allows. Flags that Stoker sets are
    refused."""

    env: Annotated[tuple[Variable, ...], map_by("name")] = Field(
        (), max_length=64, examples=[[{"name": "VLLM_LOGGING_LEVEL", "value": "DEBUG"}]]
    )
    """Environment variables of the engine, within what the operator's configuration allows."""

    warmup_prompts: Annotated[tuple[Annotated[str, Field(min_length=1, max_length=4096)], ...], ATOMIC] = Field(
        (), max_length=8, examples=[["Hello"]]
    )
    """Prompts that run before a replica counts as ready, so that the first user does not pay for compilation."""

    custom: CustomServer | None = Field(None, examples=[{"port": 9000, "healthPath": "/healthz"}])
    """How to talk to the server of engine custom."""
