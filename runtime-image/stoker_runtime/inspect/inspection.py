"""Reads the headers and the configuration of a model, and nothing else of it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from stoker_runtime.facts import Facts, Format
from stoker_runtime.inspect.configuration import read_configuration
from stoker_runtime.inspect.gguf_facts import gguf_facts
from stoker_runtime.inspect.gguf_header import GgufHeader, read_gguf
from stoker_runtime.inspect.json_text import read_object
from stoker_runtime.inspect.reading import Reading
from stoker_runtime.inspect.safetensors_header import LENGTH_BYTES, Header, Index, header_end, read_header, read_index
from stoker_runtime.inspect.tensor_facts import Beside, tensor_facts
from stoker_runtime.inspect.tensors import Tensor
from stoker_runtime.inspect.unreadable import shown, unreadable
from stoker_runtime.inspect.weight_files import WeightFiles, weight_files

_THREADS = 8
_FIRST_PART_BYTES = 256 << 10  # holds most headers whole
_MOST_JSON_BYTES = 64 << 20
_TEMPLATES = ("chat_template.jinja", "chat_template.json")
_EMBEDDING_MARKS = ("modules.json", "config_sentence_transformers.json", "1_Pooling/config.json")

_T = TypeVar("_T")


def inspect(read: Reading, *, config_only: bool = False) -> Facts:
    """Raises WeightsError: NO_WEIGHTS, UNREADABLE, or what the reading itself raises."""
    files = weight_files(read.names())
    if files.format is Format.GGUF:
        return _inspect_gguf(read, files)
    value = _json(read, f"{files.base}config.json")
    if value is None:
        raise unreadable(f"{files.base}config.json", "missing", "publish the model with its configuration")
    separate = _json(read, f"{files.base}hf_quant_config.json")
    configuration = read_configuration(value, f"{files.base}config.json", separate)
    by_config = config_only or files.format is Format.PICKLE
    tensors = () if by_config else _tensors(read, files)
    beside = Beside(
        form=files.format,
        chat_template=_chat_template(read, files.base),
        embeds=any(f"{files.base}{name}" in read.names() for name in _EMBEDDING_MARKS),
        stored_bytes=sum(read.size(name) or 0 for name in _shards(read, files)[0]) if by_config else 0,
    )
    return tensor_facts(configuration, tensors, beside)


def _shards(read: Reading, files: WeightFiles) -> tuple[Sequence[str], Index | None]:
    if files.index is None:
        return files.names, None
    index = read_index(_whole(read, files.index), files.index)
    shards = [f"{files.base}{shard}" for shard in index.shards]
    for shard in shards:
        if shard not in files.names:
            raise unreadable(shard, f"missing, and {files.index} names it", "fetch or publish all shards of the model")
    return shards, index


def _tensors(read: Reading, files: WeightFiles) -> tuple[Tensor, ...]:
    shards, index = _shards(read, files)
    headers = _at_once(lambda name: _safetensors(read, name), shards)
    places: dict[str, str] = {}
    for shard, header in zip(shards, headers, strict=True):
        for tensor in header.tensors:
            if tensor.name in places:
                raise unreadable(shard, f"tensor {shown(tensor.name)} lies in {places[tensor.name]} too")
            places[tensor.name] = shard
    for name, shard in (index.shard_of if index else {}).items():
        if places.get(name) != f"{files.base}{shard}":
            raise unreadable(
                f"{files.base}{shard}", f"tensor {shown(name)} is missing, and {files.index} places it here"
            )
    return tuple(tensor for header in headers for tensor in header.tensors)


def _safetensors(read: Reading, name: str) -> Header:
    size = read.size(name)
    data = read.part(name, 0, LENGTH_BYTES if size is None else min(size, _FIRST_PART_BYTES))
    end = header_end(data, name, size)
    if len(data) < end:
        data += read.part(name, len(data), end)
    return read_header(data, name, size)


def _inspect_gguf(read: Reading, files: WeightFiles) -> Facts:
    headers = _at_once(lambda name: _gguf(read, name), files.names)
    first = headers[0]
    count = first.metadata.get("split.count")
    if type(count) is int and count > 1 and count != len(headers):
        found = f"one of {count} parts, and not all are there (found: {len(headers)})"
        raise unreadable(files.names[0], found, "fetch all of its parts")
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    total = first.metadata.get("split.tensors.count")
    if type(total) is int and total != len(tensors):
        raise unreadable(files.names[0], f"its parts should hold {total} tensors, and hold {len(tensors)}")
    if not tensors:
        raise unreadable(files.names[0], "no tensor in it")
    return gguf_facts(first, files.names[0], tensors, multimodal=files.projector)


def _gguf(read: Reading, name: str) -> GgufHeader:
    return read_gguf(lambda first, end: read.part(name, first, end), name, read.size(name))


def _chat_template(read: Reading, base: str) -> bool | None:
    if any(f"{base}{name}" in read.names() for name in _TEMPLATES):
        return True
    tokenizer = _json(read, f"{base}tokenizer_config.json")
    return None if tokenizer is None else bool(tokenizer.get("chat_template"))


def _json(read: Reading, name: str) -> Any:
    return read_object(_whole(read, name), name) if name in read.names() else None


def _whole(read: Reading, name: str) -> bytes:
    size = read.size(name)
    if size is not None and size > _MOST_JSON_BYTES:
        raise unreadable(name, f"{size} bytes long, where {_MOST_JSON_BYTES} are beyond all reason")
    return read.part(name, 0, _MOST_JSON_BYTES if size is None else size)


def _at_once(work: Callable[[str], _T], names: Sequence[str]) -> list[_T]:
    """In the order of the names. The first failure ends it: what has not begun does not begin."""
    pool = ThreadPoolExecutor(min(_THREADS, len(names)) or 1)
    try:
        return list(pool.map(work, names))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
