"""The header of a safetensors file: eight bytes of length, then JSON that says where each tensor lies.

    length (u64, little endian) | {"NAME": {"dtype", "shape", "data_offsets": [first, end]}, ...} | data

Offsets count from the end of the header, and the tensors cover the data without gap or overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stoker_runtime.inspect.json_text import read_object
from stoker_runtime.inspect.tensors import Tensor
from stoker_runtime.inspect.unreadable import shown, unreadable

LENGTH_BYTES = 8
MOST_HEADER_BYTES = 100_000_000  # what the format itself allows
_MOST_DIMENSIONS = 16
_MOST_ELEMENTS = 1 << 60

_BITS = {
    "BOOL": 8,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "U8": 8,
    "I8": 8,
    "F8_E5M2": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "C64": 64,
    "F64": 64,
    "I64": 64,
    "U64": 64,
}


@dataclass(frozen=True)
class Header:
    tensors: tuple[Tensor, ...]
    file_bytes: int  # how long the file must be


@dataclass(frozen=True)
class Index:
    """Which shard holds which tensor."""

    shards: tuple[str, ...]
    shard_of: Mapping[str, str]


def header_end(start: bytes, file: str, file_bytes: int | None = None) -> int:
    """Where the header ends, from the file's first eight bytes."""
    if len(start) < LENGTH_BYTES:
        raise unreadable(file, f"{len(start)} bytes long, where safetensors starts with 8 bytes of header length")
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    end = LENGTH_BYTES + length
    if not 2 <= length <= MOST_HEADER_BYTES:
        raise unreadable(file, f"no safetensors: its header would be {length} bytes long, starts with {start[:8]!r}")
    if file_bytes is not None and end > file_bytes:
        raise unreadable(file, f"truncated: the header alone ends at byte {end}, the file at {file_bytes}")
    return end


def read_header(data: bytes, file: str, file_bytes: int | None = None) -> Header:
    """`data` is the file from its start to the end of the header or beyond; `file_bytes` None means unknown."""
    end = header_end(data, file, file_bytes)
    if len(data) < end:
        raise unreadable(file, f"truncated: {len(data)} bytes are there of a header that ends at {end}")
    value = read_object(data[LENGTH_BYTES:end], file)
    described = [(name, entry) for name, entry in value.items() if name != "__metadata__"]
    if not described:
        raise unreadable(file, "no tensor in it")
    placed = sorted(_place(name, entry, file) for name, entry in described)
    total = _covered(placed, file)
    if file_bytes is not None and end + total != file_bytes:
        raise unreadable(file, f"its header and tensors take {end + total} bytes, the file has {file_bytes}")
    tensors = tuple(tensor for _, _, _, tensor in placed)
    return Header(tensors, end + total)


def read_index(data: bytes, file: str) -> Index:
    """`model.safetensors.index.json`: the shards lie beside it."""
    weight_map = read_object(data, file).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise unreadable(file, f"weight_map must name a shard for each tensor, not {shown(weight_map)}")
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str) or not shard or set(shard) & {"/", "\\", "\0"} or shard in {".", ".."}:
            raise unreadable(file, f"weight_map[{shown(tensor)}] must name a file beside it, not {shown(shard)}")
    return Index(tuple(sorted(set(weight_map.values()))), weight_map)


_Placed = tuple[int, int, str, Tensor]  # first byte, end, name


def _place(name: str, entry: object, file: str) -> _Placed:
    if not isinstance(entry, dict):
        raise unreadable(file, f"tensor {shown(name)} must be an object, not {shown(entry)}")
    dtype, shape = entry.get("dtype"), _numbers(entry, "shape", name, file)
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise unreadable(file, f"tensor {shown(name)} has dtype {shown(dtype)}", "a newer Stoker may know it")
    offsets = _numbers(entry, "data_offsets", name, file)
    if len(offsets) != 2 or offsets[0] > offsets[1] or len(shape) > _MOST_DIMENSIONS:
        raise unreadable(file, f"tensor {shown(name)} has shape {shown(shape)} at data_offsets {shown(offsets)}")
    elements = 1
    for dimension in shape:
        elements = min(elements * dimension, _MOST_ELEMENTS)
    size_bits = elements * _BITS[dtype]
    if size_bits != 8 * (offsets[1] - offsets[0]):
        raise unreadable(
            file,
            f"tensor {shown(name)} of {dtype} {shown(shape)} takes {size_bits / 8:.0f} bytes, "
            f"its data_offsets hold {offsets[1] - offsets[0]}",
        )
    return offsets[0], offsets[1], name, Tensor(name, dtype, tuple(shape), offsets[1] - offsets[0])


def _numbers(entry: Mapping[str, Any], field: str, name: str, file: str) -> Sequence[int]:
    value = entry.get(field)
    if isinstance(value, list) and all(type(item) is int and 0 <= item < _MOST_ELEMENTS for item in value):
        return value
    raise unreadable(file, f"tensor {shown(name)}: {field} must be a list of whole numbers, not {shown(value)}")


def _covered(placed: Sequence[_Placed], file: str) -> int:
    reached = 0
    for first, end, name, _ in placed:
        if first != reached:
            what = "overlaps the tensor before it" if first < reached else "leaves a gap before it"
            raise unreadable(file, f"tensor {shown(name)} {what}: it starts at {first}, not at {reached}")
        reached = end
    return reached
