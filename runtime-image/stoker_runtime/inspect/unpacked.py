"""How many parameters of the model lie in stored tensors, which may be packed.

GPTQ, AWQ, int4 groups   32-bit elements of 32/bits weights each
4 bits in bytes          two weights each (bitsandbytes, MXFP4, NVFP4)
scales, zeros, maps      none: they belong to the packing
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stoker_runtime.inspect.quantization import Quantization
from stoker_runtime.inspect.tensors import Tensor

# The last part of the names of what packing adds.
_PACKING = re.compile(
    r"(?:\.|_)(?:scales?(?:_inv|_2)?|qzeros|g_idx|absmax|nested_absmax|quant_map|nested_quant_map|SCB|weight_format"
    r"|weight_zero_point|weight_shape|global_scale|zero_point|zeros|quant_state\.bitsandbytes__\w+|inv_freq|amax)$"
)
_PACKED_WORDS = re.compile(r"\.(?:qweight|weight_packed)$")
_EXPERT = re.compile(r"(?:^|\.)(?:experts(?:\.|$)|\w+_exps\.)")
_LAYER = re.compile(r"(?:^|\.)(?:layers|blocks|blk|h)\.(\d+)\.")
_EMBEDDING = re.compile(
    r"(?:^|\.)(?:embed_tokens|tok_embeddings|word_embeddings|wte|embed_in|token_embd|embedding|embeddings)\.\w+$"
)
_HEAD = re.compile(r"(?:^|\.)(?:lm_head|embed_out|output_layer)\.\w+$|^output\.weight$")
_HALF_BYTE = frozenset({"bnb-4bit", "mixed_precision", "mxfp4", "nvfp4"})
_VISION = re.compile(r"(?:^|\.)(?:visual|vision_tower|vision_model|audio_tower|encoder)\.")


@dataclass(frozen=True)
class Stored:
    """The same weights counted in several ways."""

    parameters: int
    expert_parameters: int  # of experts that a router chooses from, which are in parameters
    weight_bytes: int
    embedding_bytes: int


@dataclass(frozen=True)
class Guessing:
    """Layers after the model's own that guess tokens ahead: their bytes count, and they are no part of its size."""

    first: int
    count: int

    def has(self, name: str) -> bool:
        if name.startswith("mtp.") or ".mtp." in name:
            return True
        found = _LAYER.search(name)
        ours = found is not None and not _VISION.search(name)
        return ours and found is not None and self.first <= int(found[1]) < self.first + self.count


def count_stored(
    tensors: Iterable[Tensor], quantization: Quantization | None, guessing: Guessing, *, tied: bool = False
) -> Stored:
    """`tied`: the output head, if it is stored at all, is the token embedding once more."""
    total = experts = size = embedded = 0
    tensors = tuple(tensors)
    heads_twice = tied and any(_EMBEDDING.search(tensor.name) for tensor in tensors)
    for tensor in tensors:
        size += tensor.size_bytes
        outside = _LAYER.search(tensor.name) is None
        is_head = outside and _HEAD.search(tensor.name) is not None
        if is_head or (outside and _EMBEDDING.search(tensor.name) and not _VISION.search(tensor.name)):
            embedded += tensor.size_bytes
        if guessing.has(tensor.name) or (is_head and heads_twice):
            continue
        count = parameters_in(tensor, quantization)
        total += count
        experts += count if _EXPERT.search(tensor.name) else 0
    return Stored(total, experts, size, embedded)


def parameters_in(tensor: Tensor, quantization: Quantization | None) -> int:
    """Of the model: none in a tensor of scales, several in an element that packs them."""
    if _PACKING.search(tensor.name) or tensor.dtype == "F8_E8M0":
        return 0
    if quantization is None:
        return tensor.elements
    if _PACKED_WORDS.search(tensor.name):
        return tensor.size_bytes * 8 // quantization.bits
    if tensor.dtype == "U8" and quantization.name in _HALF_BYTE:
        return 2 * tensor.elements
    return tensor.elements


def activation_dtype(by_dtype: Mapping[str, int]) -> str | None:
    """Where no configuration says: the float type that most unpacked weights have."""
    names = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
    return next((names[dtype] for dtype in by_dtype if dtype in names), None)
