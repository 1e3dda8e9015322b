"""The header of a GGUF file, version 2 or 3: metadata, then a description of each tensor.

    "GGUF" | version u32 | tensors u64 | entries u64 | entries (key, type, value) | tensors (name, shape, type, offset)

The data follows at the next multiple of general.alignment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stoker_runtime.inspect.cursor import Cursor, Part
from stoker_runtime.inspect.gguf_types import PACKINGS
from stoker_runtime.inspect.tensors import Tensor
from stoker_runtime.inspect.unreadable import shown, unreadable

MOST_HEADER_BYTES = 128 << 20  # the tokenizers of today take up to 20 MB
_MOST_ENTRIES = 100_000
_MOST_TENSORS = 1_000_000
_MOST_ARRAY = 8_000_000
_MOST_KEPT = 4096  # elements of an array: more is a vocabulary, of which only the length counts
_MOST_NESTING = 4
_MOST_DIMENSIONS = 4
_MOST_ELEMENTS = 1 << 60

_FORMS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_FORM_BYTES = {"B": 1, "b": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "?": 1, "Q": 8, "q": 8, "d": 8}
_TEXT, _ARRAY = 8, 9


@dataclass(frozen=True)
class Skipped:
    """An array too long to be of interest."""

    length: int


@dataclass(frozen=True)
class GgufHeader:
    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]


def read_gguf(part: Part, file: str, file_bytes: int | None = None) -> GgufHeader:
    """`part` gives the file's bytes; `file_bytes` None means unknown."""
    cursor = Cursor(part, file, min(MOST_HEADER_BYTES, file_bytes or MOST_HEADER_BYTES))
    magic = cursor.take(4)
    if magic != b"GGUF":
        raise unreadable(file, f"no GGUF: it starts with {magic!r}")
    version = cursor.whole("I")
    if version not in (2, 3):
        what = "big endian, which no engine loads" if version in (2 << 24, 3 << 24) else f"GGUF version {version}"
        raise unreadable(file, what, "convert it again to GGUF version 3")
    tensor_count, entry_count = cursor.whole("Q"), cursor.whole("Q")
    if tensor_count > _MOST_TENSORS or entry_count > _MOST_ENTRIES:
        raise unreadable(file, f"{tensor_count} tensors and {entry_count} metadata entries, beyond all reason")
    metadata: dict[str, Any] = {}
    for _ in range(entry_count):
        key = cursor.text()
        metadata[key] = _value(cursor, cursor.whole("I"), 0)
    placed = [_tensor(cursor) for _ in range(tensor_count)]
    _check_places(cursor, metadata, placed, file_bytes)
    return GgufHeader(metadata, tuple(tensor for _, tensor in placed))


def _value(cursor: Cursor, kind: int, depth: int) -> Any:
    if kind in _FORMS:
        return cursor.number(_FORMS[kind])
    if kind == _TEXT:
        return cursor.text()
    if kind == _ARRAY and depth < _MOST_NESTING:
        return _array(cursor, depth)
    raise unreadable(cursor.file, f"metadata of type {kind} at byte {cursor.position}", "a newer Stoker may know it")


def _array(cursor: Cursor, depth: int) -> list[Any] | Skipped:
    kind, length = cursor.whole("I"), cursor.whole("Q")
    if length > _MOST_ARRAY:
        raise unreadable(cursor.file, f"an array of {length} elements at byte {cursor.position}")
    if length <= _MOST_KEPT:
        return [_value(cursor, kind, depth + 1) for _ in range(length)]
    if kind in _FORMS:
        cursor.skip(length * _FORM_BYTES[_FORMS[kind]])
    elif kind == _TEXT:
        cursor.skip_texts(length)
    else:
        raise unreadable(cursor.file, f"an array of {length} elements of type {kind} at byte {cursor.position}")
    return Skipped(length)


def _tensor(cursor: Cursor) -> tuple[int, Tensor]:
    name, dimensions = cursor.text(), cursor.whole("I")
    if dimensions > _MOST_DIMENSIONS:
        raise unreadable(cursor.file, f"tensor {shown(name)} has {dimensions} dimensions")
    shape = tuple(cursor.whole("Q") for _ in range(dimensions))
    kind, offset = cursor.whole("I"), cursor.whole("Q")
    packing = PACKINGS.get(kind)
    if packing is None:
        raise unreadable(cursor.file, f"tensor {shown(name)} has type {kind}", "a newer Stoker may know it")
    elements = 1
    for dimension in shape:
        elements = min(elements * dimension, _MOST_ELEMENTS)
    if elements == _MOST_ELEMENTS or elements % packing.block_elements:
        raise unreadable(
            cursor.file,
            f"tensor {shown(name)} of {packing.name} has shape {shape}, "
            f"which blocks of {packing.block_elements} elements do not fill",
        )
    size_bytes = elements // packing.block_elements * packing.block_bytes
    return offset, Tensor(name, packing.name, shape, size_bytes)


def _check_places(
    cursor: Cursor, metadata: Mapping[str, Any], placed: list[tuple[int, Tensor]], file_bytes: int | None
) -> None:
    alignment = metadata.get("general.alignment", 32)
    if type(alignment) is not int or not 0 < alignment <= 1 << 20:
        raise unreadable(cursor.file, f"general.alignment must be a small whole number, not {shown(alignment)}")
    data_first = -(-cursor.position // alignment) * alignment
    reached = 0
    for offset, tensor in sorted(placed, key=lambda item: item[0]):
        if offset < reached:
            raise unreadable(cursor.file, f"tensor {shown(tensor.name)} overlaps the one before it at {offset}")
        reached = offset + tensor.size_bytes
    end = data_first + reached if placed else cursor.position
    if file_bytes is not None and end > file_bytes:
        raise unreadable(cursor.file, f"truncated: its tensors end at byte {end}, the file at {file_bytes}")
