"""Headers of safetensors: what they say, and every way in which they can be wrong."""

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.inspect.safetensors_header import header_end, read_header, read_index
from stoker_runtime.inspect.tensors import Tensor
from tests.unit.inspect.made import only_refusals, safetensors

FILE = "model-00001-of-00002.safetensors"


def made(described: Any) -> bytes:
    text = json.dumps(described).encode()
    return struct.pack("<Q", len(text)) + text


def entry(first: int, end: int, dtype: Any = "U8", shape: Any = None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [end - first] if shape is None else shape, "data_offsets": [first, end]}


def refusal(data: bytes, file_bytes: int | None = None) -> str:
    with pytest.raises(WeightsError) as refused:
        read_header(data, FILE, file_bytes)
    assert refused.value.reason is Reason.UNREADABLE
    assert refused.value.message.startswith(FILE)
    return refused.value.message


def test_a_header_names_tensors_in_the_order_of_their_data() -> None:
    start, size = safetensors([("a", "BF16", (3, 4)), ("b", "F32", ())], {"format": "pt"})
    header = read_header(start, FILE, size)
    assert header.tensors == (Tensor("a", "BF16", (3, 4), 24), Tensor("b", "F32", (), 4))
    assert header.file_bytes == size


def test_bytes_after_the_header_are_not_looked_at() -> None:
    start, size = safetensors([("a", "U8", (4,))])
    assert read_header(start + b"\0{]", FILE, size).file_bytes == size


def test_four_bit_floats_take_half_a_byte() -> None:
    assert read_header(made({"a": entry(0, 8, "F4", [4, 4])}), FILE).tensors[0].elements == 16


@pytest.mark.parametrize(
    ("described", "names"),
    [
        ({"a": entry(0, 4), "b": entry(2, 6)}, "overlaps"),
        ({"a": entry(0, 4), "b": entry(8, 12)}, "gap"),
        ({"a": entry(4, 8)}, "gap"),
        ({"a": entry(0, 4, "U8", [5])}, "5 bytes"),
        ({"a": entry(0, 4, "Q9", [4])}, "Q9"),
        ({"a": entry(0, 4, ["U8"], [4])}, "dtype"),
        ({"a": entry(0, 4, "U8", [-4])}, "shape"),
        ({"a": entry(0, 4, "U8", [True, 4])}, "shape"),
        ({"a": entry(0, 4, "U8", [1 << 59, 1 << 59, 1 << 59])}, "bytes"),
        ({"a": {"dtype": "U8", "shape": [4]}}, "data_offsets"),
        ({"a": {"dtype": "U8", "shape": [4], "data_offsets": [4, 0]}}, "data_offsets"),
        ({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 2, 4]}}, "data_offsets"),
        ({"a": 5}, "object"),
        ({}, "no tensor"),
        ({"__metadata__": {"format": "pt"}}, "no tensor"),
        ([], "JSON object"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused_and_says_where(described: Any, names: str) -> None:
    assert names in refusal(made(described))


@pytest.mark.parametrize(
    "data", [b"", b"\x07", struct.pack("<Q", 1 << 40) + b"{}", struct.pack("<Q", 0), b"<!DOCTYPE html><html>"]
)
def test_a_length_beyond_reason_is_refused_before_anything_is_read(data: bytes) -> None:
    with pytest.raises(WeightsError, match=FILE):
        header_end(data, FILE)


@pytest.mark.parametrize("text", [b"{" * 5000, b"[" * 200_000, b"\xff\xfe{}", b"{'a': 1}", b"9" * 10_000])
def test_a_header_that_is_no_json_is_refused(text: bytes) -> None:
    refusal(struct.pack("<Q", len(text)) + text)


def test_a_truncated_header_is_refused() -> None:
    start, _ = safetensors([("a", "U8", (4,))])
    assert "truncated" in refusal(start[:-1])


@pytest.mark.parametrize("wrong", [-1, 1, 4096])
def test_a_file_of_another_length_than_its_header_says_is_refused(wrong: int) -> None:
    start, size = safetensors([("a", "U8", (100,))])
    assert str(size) in refusal(start, size + wrong)


@given(st.binary(max_size=400), st.integers(0, 400) | st.none())
def test_garbage_raises_nothing_but_a_refusal(data: bytes, file_bytes: int | None) -> None:
    for start in (data, struct.pack("<Q", len(data)) + data):
        with only_refusals():
            read_header(start, FILE, file_bytes)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.text(max_size=8),
        JSON | st.fixed_dictionaries({"dtype": JSON | st.just("U8"), "shape": JSON, "data_offsets": JSON}),
        max_size=4,
    )
)
def test_any_json_raises_nothing_but_a_refusal(described: Any) -> None:
    with only_refusals():
        read_header(made(described), FILE)


@given(st.data())
def test_one_flipped_byte_is_read_or_refused(data: st.DataObject) -> None:
    start, size = safetensors([("a", "BF16", (3, 4)), ("b.weight", "F32", (2,))])
    spoiled = bytearray(start)
    spoiled[data.draw(st.integers(0, len(start) - 1))] = data.draw(st.integers(0, 255))
    try:
        header = read_header(bytes(spoiled), FILE, size)
    except WeightsError:
        return
    assert sum(tensor.size_bytes for tensor in header.tensors) == 32


def test_an_index_names_its_shards_once_each() -> None:
    index = read_index(
        json.dumps({"weight_map": {"a": "2.safetensors", "b": "1.safetensors", "c": "1.safetensors"}}).encode(), "i"
    )
    assert index.shards == ("1.safetensors", "2.safetensors")


@pytest.mark.parametrize("shard", ["../secret", "a/b.safetensors", "a\\b", "", "..", 5, None, ["a"]])
def test_an_index_that_leaves_its_folder_is_refused(shard: Any) -> None:
    with pytest.raises(WeightsError, match="weight_map"):
        read_index(json.dumps({"weight_map": {"a": shard}}).encode(), "model.safetensors.index.json")


@pytest.mark.parametrize("value", [{}, {"weight_map": {}}, {"weight_map": []}, {"weight_map": None}])
def test_an_index_without_a_map_is_refused(value: Any) -> None:
    with pytest.raises(WeightsError, match="weight_map"):
        read_index(json.dumps(value).encode(), "model.safetensors.index.json")
