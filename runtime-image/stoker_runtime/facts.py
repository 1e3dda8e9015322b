"""What is known of a model from its headers and its configuration: the answer of `inspect`, the input of the fit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self


class Format(StrEnum):
    """How the weights are stored."""

    SAFETENSORS = "safetensors"
    GGUF = "gguf"
    PICKLE = "pickle"


class Task(StrEnum):
    """What the model is for."""

    GENERATE = "generate"
    EMBED = "embed"
    CLASSIFY = "classify"
    SPEECH = "speech"


class Attention(StrEnum):
    """What a layer keeps of each token."""

    FULL = "full"  # keys and values of all tokens
    SLIDING = "sliding"  # keys and values of the last `window_tokens`
    LATENT = "latent"  # one compressed vector for all heads (MLA), the same on every GPU
    STATE = "state"  # a state of one size, whatever the length (Mamba, linear attention)


@dataclass(frozen=True)
class LayerGroup:
    """Layers that keep the same per token."""

    count: int
    attention: Attention
    kv_heads: int = 0  # key and value heads; 0 for LATENT and STATE
    key_size: int = 0  # elements per head of a key; LATENT: of the one vector (latent rank + rotary part)
    value_size: int = 0  # elements per head of a value; 0 for LATENT
    window_tokens: int | None = None  # SLIDING only
    state_elements: int = 0  # STATE only: elements per sequence and layer


@dataclass(frozen=True)
class Facts:
    """One model. None means that the files do not say."""

    format: Format
    parameters: int
    active_parameters: int  # that one token passes through
    weight_bytes: int  # of all tensors, as stored
    embedding_bytes: int  # of the token embedding and the output head, which are in weight_bytes
    layers: int
    groups: tuple[LayerGroup, ...]
    architecture: str | None = None
    task: Task = Task.GENERATE
    quantization: str | None = None  # fp8, int8, int4, awq, gptq, mxfp4, Q4_K_M and the like; None: none
    bytes_by_dtype: Mapping[str, int] = field(
        default_factory=dict
    )  # BF16, F8_E4M3, I32, Q4_K: as the headers name them
    dtype: str | None = None  # of activations and of the KV cache: bfloat16, float16, float32
    hidden_size: int = 0
    intermediate_size: int = 0  # the widest inner layer that one token passes through
    attention_heads: int = 0  # query heads: a tensor parallel size must divide them
    vocabulary: int = 0
    experts: int = 0  # per layer; 0: dense
    context_length: int | None = None
    chat_template: bool | None = None
    multimodal: bool = False
    custom_code: bool = False  # the configuration names code of the repository (auto_map)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        groups = tuple(LayerGroup(**{**group, "attention": Attention(group["attention"])}) for group in value["groups"])
        known = {**value, "groups": groups, "format": Format(value["format"]), "task": Task(value["task"])}
        return cls(**known)
