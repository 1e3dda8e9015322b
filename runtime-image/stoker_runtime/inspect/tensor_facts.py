"""What a configuration and the headers of safetensors say together. The tensors are believed where both speak."""

from collections.abc import Sequence
from dataclasses import dataclass

from stoker_runtime.facts import Facts, Format, Task
from stoker_runtime.inspect.configuration import Configuration
from stoker_runtime.inspect.parameters import Count, parameters_of
from stoker_runtime.inspect.tensors import Tensor, bytes_by_dtype
from stoker_runtime.inspect.unpacked import Guessing, activation_dtype, count_stored

# Their packing does not tell how many weights an element holds.
_UNTOLD = frozenset({"aqlm", "exl2", "exl3", "hqq", "quip", "vptq"})


@dataclass(frozen=True)
class Beside:
    """What other files than the configuration and the weights' headers say."""

    form: Format = Format.SAFETENSORS
    chat_template: bool | None = None
    embeds: bool = False  # it is published for embeddings, whatever its architecture
    stored_bytes: int = 0  # of the weight files, where no header was read


def tensor_facts(configuration: Configuration, tensors: Sequence[Tensor], beside: Beside = Beside()) -> Facts:
    """Without tensors (pickle, or configuration alone) the configuration stands for them."""
    quantization, experts = configuration.quantization, configuration.experts
    guessing = configuration.text.whole("num_nextn_predict_layers") or 0
    stored = count_stored(
        tensors,
        quantization,
        Guessing(configuration.layers, guessing),
        tied=configuration.tied,
    )
    by_dtype = bytes_by_dtype(tuple(tensors))
    if not tensors or (quantization is not None and quantization.name in _UNTOLD):
        count = parameters_of(configuration)
    else:
        idle = stored.expert_parameters * (experts.count - experts.per_token) // experts.count if experts.count else 0
        count = Count(stored.parameters, stored.parameters - idle)
    return Facts(
        format=beside.form,
        parameters=count.total,
        active_parameters=count.active,
        weight_bytes=stored.weight_bytes if tensors else beside.stored_bytes,
        embedding_bytes=stored.embedding_bytes if tensors else embedding_bytes(configuration),
        layers=configuration.layers,
        groups=configuration.groups,
        architecture=configuration.architecture,
        task=Task.EMBED if beside.embeds and configuration.task is Task.GENERATE else configuration.task,
        quantization=quantization.name if quantization else None,
        bytes_by_dtype=by_dtype,
        dtype=configuration.dtype or activation_dtype(by_dtype),
        hidden_size=configuration.hidden_size,
        intermediate_size=configuration.intermediate_size,
        attention_heads=configuration.attention_heads,
        vocabulary=configuration.vocabulary,
        experts=experts.count,
        context_length=configuration.context_length,
        chat_template=beside.chat_template,
        multimodal=configuration.multimodal,
        custom_code=configuration.custom_code,
    )


def embedding_bytes(configuration: Configuration) -> int:
    """Embeddings are seldom packed: two bytes each, or four where the whole model has them."""
    width = 4 if configuration.dtype == "float32" else 2
    times = 1 if configuration.tied or not configuration.groups else 2
    return times * configuration.vocabulary * configuration.hidden_size * width
