"""The tiny models are the same everywhere, and every server user can read them."""

import hashlib
import json
import struct
from pathlib import Path

import pytest

from e2e.cluster.refusal import Refusal
from e2e.models.build import MODELS, build
from e2e.models.llama import LASTING
from stoker_runtime.facts import Attention
from stoker_runtime.inspect.inspection import inspect
from stoker_runtime.inspect.reading import FolderReading


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_has_the_same_bytes_at_every_run(name: str, tmp_path: Path) -> None:
    build(name, tmp_path / "once")
    build(name, tmp_path / "again")
    assert digests(tmp_path / "once") == digests(tmp_path / "again")


@pytest.mark.parametrize("name", MODELS)
def test_a_model_can_be_read_by_any_user(name: str, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in build(name, tmp_path / "model")} == {0o644}


def header_of(path: Path) -> dict[str, dict[str, object]]:
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header: dict[str, dict[str, object]] = json.loads(raw[8 : 8 + length])
    ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]  # type: ignore[index]
    assert 8 + length + max(ends) == len(raw), "the file ends with its last tensor"
    return header


def test_the_index_of_a_model_in_several_files_names_the_file_of_each_tensor(tmp_path: Path) -> None:
    build("tiny-llama", tmp_path / "single")
    build("tiny-llama-sharded", tmp_path / "sharded")
    index = json.loads((tmp_path / "sharded" / "model.safetensors.index.json").read_text())
    assert len(set(index["weight_map"].values())) >= 3
    for name, file in index["weight_map"].items():
        assert name in header_of(tmp_path / "sharded" / file)
    assert header_of(tmp_path / "single" / "model.safetensors").keys() - {"__metadata__"} == index["weight_map"].keys()


def test_a_gguf_file_says_what_it_is(tmp_path: Path) -> None:
    (path,) = build("tiny-llama-gguf", tmp_path / "gguf")
    magic, version, tensors, entries = struct.unpack_from("<4sIQQ", path.read_bytes())
    assert (magic, version, tensors) == (b"GGUF", 3, 21)
    assert entries > 15


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(Refusal, match="not empty"):
        build("tiny-llama", tmp_path)


def test_an_unknown_model_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="tiny-llama-sharded"):
        build("huge-llama", tmp_path / "model")


def test_the_model_of_streams_that_last_looks_back_to_a_window_in_each_layer(tmp_path: Path) -> None:
    build("lasting-llama", tmp_path / "model")
    groups = inspect(FolderReading.of(tmp_path / "model")).groups
    assert {(group.attention, group.window_tokens) for group in groups} == {(Attention.SLIDING, LASTING.window)}
