"""A tensor as a header names it, whatever the file format."""

from dataclasses import dataclass
from math import prod


@dataclass(frozen=True)
class Tensor:
    name: str
    dtype: str  # as the header names it: BF16, I32, Q4_K
    shape: tuple[int, ...]  # in elements as stored: a packed tensor has fewer than the model
    size_bytes: int

    @property
    def elements(self) -> int:
        return prod(self.shape)


def bytes_by_dtype(tensors: tuple[Tensor, ...]) -> dict[str, int]:
    """The largest share first."""
    sums: dict[str, int] = {}
    for tensor in tensors:
        sums[tensor.dtype] = sums.get(tensor.dtype, 0) + tensor.size_bytes
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))
