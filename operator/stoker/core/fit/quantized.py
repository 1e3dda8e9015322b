"""What a model would weigh if its layers were stored in fewer bits.

weights = embeddings, as they are + (parameters - those of the embeddings) * bits / 8
"""

from dataclasses import dataclass, replace

from stoker.core.fit.widths import compute_bytes
from stoker_runtime.facts import Facts


@dataclass(frozen=True)
class Quantization:
    """Bits for one parameter, scales included."""

    name: str
    hundredth_bits: int


FP8 = Quantization("fp8", 802)  # 8, and a scale for each channel
# AWQ and GPTQ: 4, and 16 bits of scale and 4 of zero for each group of 128
INT4 = Quantization("4-bit (AWQ or GPTQ)", 416)
QUANTIZATIONS = (FP8, INT4)


def quantized(facts: Facts, to: Quantization) -> Facts | None:
    """None where it would not be smaller by a tenth or more."""
    embedded = facts.embedding_bytes // compute_bytes(facts)
    body = max(facts.parameters - embedded, 0) * to.hundredth_bits // 800
    size = facts.embedding_bytes + body
    if not body or size * 10 > facts.weight_bytes * 9:
        return None
    return replace(facts, weight_bytes=size, quantization=to.name)
