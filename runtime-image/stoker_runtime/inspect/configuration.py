"""config.json as what the fit needs of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stoker_runtime.facts import Attention, LayerGroup, Task
from stoker_runtime.inspect.context import context_length
from stoker_runtime.inspect.experts import Experts, experts, widest_inner
from stoker_runtime.inspect.families import ENCODERS, TIED, defaults
from stoker_runtime.inspect.fields import Fields
from stoker_runtime.inspect.heads import HEADS, HIDDEN, LAYERS, heads
from stoker_runtime.inspect.layer_groups import layer_groups, merged
from stoker_runtime.inspect.quantization import Quantization, quantization_of

_TEXT_PARTS = ("text_config", "llm_config", "language_config", "language_model_config", "decoder")
_SENSES = ("vision_config", "audio_config", "visual", "vision_tower", "mm_vision_tower", "audio_encoder_config")
_VOCABULARY = ("vocab_size", "padded_vocab_size", "n_vocab")


@dataclass(frozen=True)
class Configuration:
    """`text` holds the fields of the language model, `top` those of the whole."""

    top: Fields
    text: Fields
    model_type: str
    architecture: str | None
    task: Task
    layers: int
    groups: tuple[LayerGroup, ...]
    hidden_size: int
    intermediate_size: int
    attention_heads: int
    vocabulary: int
    experts: Experts
    tied: bool  # the output head is the token embedding
    quantization: Quantization | None
    dtype: str | None
    context_length: int | None
    multimodal: bool
    custom_code: bool


def read_configuration(
    value: Mapping[str, Any], file: str = "config.json", separate_quantization: Mapping[str, Any] | None = None
) -> Configuration:
    """Raises WeightsError that names the field where something is missing that no family leaves out."""
    top = Fields(value, file)
    text = _text_of(top)
    model_type = text.text("model_type") or top.text("model_type") or ""
    architectures = top.texts("architectures") or ()
    task = _task(top.text("model_type") or "", architectures)
    listed = text.texts("layer_types", "layers_block_type")
    layers = text.whole(*LAYERS) or (len(listed) if listed else text.required(*LAYERS))
    if layers > 10_000:
        raise text.wrong("num_hidden_layers", "a number of layers")
    length = context_length(text)
    groups = _groups(text, task, layers, length)
    attends = any(group.attention is not Attention.STATE for group in groups) or not groups
    return Configuration(
        top=top,
        text=text,
        model_type=model_type,
        architecture=architectures[0] if architectures else None,
        task=task,
        layers=layers,
        groups=groups,
        hidden_size=text.required(*HIDDEN),
        intermediate_size=widest_inner(text, layers),
        attention_heads=text.required(*HEADS) if attends else text.whole(*HEADS) or 0,
        vocabulary=text.required(*_VOCABULARY),
        experts=experts(text),
        tied=_tied(top, text, model_type),
        quantization=quantization_of(top, text, separate_quantization),
        dtype=_dtype(text.text("torch_dtype", "dtype") or top.text("torch_dtype", "dtype")),
        context_length=length,
        multimodal=any(top.raw(name) is not None for name in _SENSES),
        custom_code=bool(top.raw("auto_map")),
    )


def _text_of(top: Fields) -> Fields:
    thinker = top.part("thinker_config")
    nested = (thinker or top).part(*_TEXT_PARTS)
    found = nested or top
    family = found.text("model_type") or ""
    return found.completed(defaults(family, nested is not None))


def _groups(text: Fields, task: Task, layers: int, length: int | None) -> tuple[LayerGroup, ...]:
    family = text.text("model_type") or ""
    if family in ENCODERS:
        return ()
    if task is Task.SPEECH:
        kept = heads(text)
        heard = 2 * kept.keys * kept.key_size * (text.whole("max_source_positions") or 1500)
        own = LayerGroup(layers, Attention.FULL, kept.keys, kept.key_size, kept.value_size)
        return merged([own, LayerGroup(layers, Attention.STATE, state_elements=heard)])
    groups = layer_groups(text, layers, length)
    if text.flag("is_encoder_decoder"):
        # Each layer keeps the text that it reads beside the text that it writes.
        return merged([*groups, *groups])
    return groups


def _task(family: str, architectures: tuple[str, ...]) -> Task:
    name = architectures[0] if architectures else ""
    if family == "whisper":
        return Task.SPEECH
    if name.endswith(("ForSequenceClassification", "ForRewardModel", "RewardModel")):
        return Task.CLASSIFY
    headless = name.endswith("Model") and not name.endswith(("LMHeadModel", "ChatGLMModel"))
    return Task.EMBED if family in ENCODERS or headless else Task.GENERATE


def _tied(top: Fields, text: Fields, family: str) -> bool:
    given = text.values.get("tie_word_embeddings")
    given = top.values.get("tie_word_embeddings") if given is None else given
    return family in TIED if given is None else bool(given)


def _dtype(name: str | None) -> str | None:
    short = (name or "").removeprefix("torch.")
    short = {"half": "float16", "float": "float32"}.get(short, short)
    return short if short in {"bfloat16", "float16", "float32"} else None
