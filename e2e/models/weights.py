"""Random weights that are the same everywhere: no library, no libm, only exact arithmetic on a seeded generator."""

import math
import random
import sys
from array import array
from dataclasses import dataclass

from e2e.models.llama import Llama
from e2e.models.tokenizer import Tokenizer

SEED = 20260
SPREAD = 0.06


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    bfloat16: bytes  # little-endian


def random_weights(llama: Llama, tokenizer: Tokenizer) -> list[Tensor]:
    generator = random.Random(SEED)  # noqa: S311 - nothing is secret here, and it must repeat
    return [_tensor(name, shape, generator, tokenizer) for name, shape in llama.shapes().items()]


def floats_of(tensor: Tensor) -> "array[float]":
    """The exact values of the bfloat16 numbers: each is the upper half of a float."""
    widened = bytearray(2 * len(tensor.bfloat16))
    widened[2::4], widened[3::4] = tensor.bfloat16[0::2], tensor.bfloat16[1::2]
    values = array("f")
    values.frombytes(bytes(widened))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _tensor(name: str, shape: tuple[int, ...], generator: random.Random, tokenizer: Tokenizer) -> Tensor:
    count = math.prod(shape)
    if len(shape) == 1:
        values = array("f", [1.0] * count)
    else:
        values = array("f", ((generator.random() * 2 - 1) * SPREAD for _ in range(count)))
    if name == "lm_head.weight":
        # A zero row never wins, so that greedy answers are readable and as long as asked for.
        for token in tokenizer.unreadable_tokens():
            values[token * shape[1] : (token + 1) * shape[1]] = array("f", [0.0] * shape[1])
    if sys.byteorder == "big":
        values.byteswap()
    raw = values.tobytes()
    halves = bytearray(2 * count)
    halves[0::2], halves[1::2] = raw[2::4], raw[3::4]
    return Tensor(name, shape, bytes(halves))
