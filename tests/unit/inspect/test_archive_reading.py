"""A model inside of archives, read without unpacking them."""

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.inspect.archive_reading import ArchiveReading, archive_members
from stoker_runtime.inspect.inspection import inspect
from stoker_runtime.inspect.reading import FolderReading
from tests.servers.zstd import zstd_frame
from tests.unit.inspect.made import config, llama_tensors, only_refusals, write_model
from tests.unit.sources.backward_tars import BACKWARD_TARS


def tar_of(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            item = tarfile.TarInfo(path)
            item.size = len(content)
            tar.addfile(item, io.BytesIO(content))
        for path, target in (links or {}).items():
            item = tarfile.TarInfo(path)
            item.type, item.linkname = tarfile.SYMTYPE, target
            tar.addfile(item)
    return buffer.getvalue()


def read(folder: Path, **archives: bytes) -> FolderReading:
    for name, content in archives.items():
        (folder / f"{name}.tar").write_bytes(content)
    return FolderReading.of(folder)


def test_a_model_in_the_layers_of_an_image_is_what_it_is_outside(tmp_path: Path) -> None:
    value = config("smollm2-135m", num_hidden_layers=1, vocab_size=100)
    model = write_model(tmp_path / "model", value, llama_tensors(value))
    files = {f"models/{path.name}": path.read_bytes() for path in model.iterdir()}
    (tmp_path / "layers").mkdir()
    archive = read(tmp_path / "layers", one=tar_of({"etc/passwd": b"root"}), two=tar_of(files))
    members = archive_members(archive, {"one.tar": "models/", "two.tar": "models/"})
    assert set(members) == {"config.json", "model.safetensors"}
    assert inspect(ArchiveReading(archive, members)) == inspect(FolderReading.of(model))


def test_a_later_layer_covers_an_earlier_one(tmp_path: Path) -> None:
    archive = read(tmp_path, one=tar_of({"models/a": b"old"}), two=tar_of({"models/a": b"newer"}))
    found = ArchiveReading(archive, archive_members(archive, {"one.tar": "models/", "two.tar": "models/"}))
    assert found.part("a", 0, 99) == b"newer"
    assert found.part("a", 2, 4) == b"we"
    assert found.part("a", 5, 9) == b""


def test_a_link_is_the_file_that_it_leads_to(tmp_path: Path) -> None:
    archive = read(tmp_path, one=tar_of({"blobs/1": b"{}"}, {"snapshot/config.json": "../blobs/1", "gone": "nowhere"}))
    members = archive_members(archive, {"one.tar": ""})
    assert members["snapshot/config.json"] == members["blobs/1"]
    assert "gone" not in members


def test_files_beside_archives_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    archive = read(tmp_path, one=tar_of({"a": b"1"}))
    found = ArchiveReading(archive, archive_members(archive, {"one.tar": ""}))
    assert found.names() == ("config.json", "a")
    assert found.part("config.json", 0, 9) == b"{}"


@pytest.mark.parametrize("compress", [gzip.compress, zstd_frame], ids=["gzip", "zstd"])
def test_a_compressed_layer_is_read_through_and_tells_the_same(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    value = config("smollm2-135m", num_hidden_layers=1, vocab_size=100)
    model = write_model(tmp_path / "model", value, llama_tensors(value))
    files = {f"models/{path.name}": path.read_bytes() for path in model.iterdir()}
    (tmp_path / "layers").mkdir()
    archive = read(tmp_path / "layers", one=compress(tar_of(files)))
    members = archive_members(archive, {"one.tar": "models/"})
    assert inspect(ArchiveReading(archive, members)) == inspect(FolderReading.of(model))
    tensors = members["model.safetensors"]
    assert len(tensors.head or b"") < tensors.size_bytes // 2, "tensors are not kept"


@pytest.mark.parametrize("compress", [gzip.compress, zstd_frame], ids=["gzip", "zstd"])
def test_a_compressed_layer_that_is_cut_or_grows_beyond_reason_is_refused(
    tmp_path: Path, compress: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = compress(tar_of({"a": os.urandom(4096)}))
    with pytest.raises(WeightsError, match=r"one\.tar"):
        archive_members(read(tmp_path, one=content[:-100]), {"one.tar": ""})
    monkeypatch.setattr("stoker_runtime.fetch.sources.compression._SMALL_BYTES", 0)
    with pytest.raises(WeightsError, match=r"more in it"):
        archive_members(read(tmp_path, one=compress(tar_of({"a": b"0" * (8 << 20)}))), {"one.tar": ""})


def test_what_was_not_kept_of_a_compressed_file_is_told_and_not_made_up(tmp_path: Path) -> None:
    archive = read(tmp_path, one=gzip.compress(tar_of({"a.bin": b"1" * 10_000})))
    found = ArchiveReading(archive, archive_members(archive, {"one.tar": ""}))
    assert found.part("a.bin", 0, 4096) == b"1" * 4096
    with pytest.raises(WeightsError, match="plain tar"):
        found.part("a.bin", 0, 4097)


def test_a_header_beyond_reason_is_not_read(tmp_path: Path) -> None:
    item = tarfile.TarInfo("pax")
    item.type, item.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "one.tar").write_bytes(item.tobuf())
    with (tmp_path / "one.tar").open("r+b") as file:
        file.truncate(1 << 34)
    with pytest.raises(WeightsError, match=r"one\.tar"):
        archive_members(FolderReading.of(tmp_path), {"one.tar": ""})


class InMemory:
    """One archive."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def names(self) -> tuple[str, ...]:
        return ("one.tar",)

    def size(self, name: str) -> int:
        return len(self._content) if name else 0

    def part(self, name: str, first: int, end: int) -> bytes:
        return self._content[first:end] if name else b""


@pytest.mark.timeout(20)
@pytest.mark.parametrize("backward", BACKWARD_TARS.values(), ids=BACKWARD_TARS)
def test_a_length_that_leads_back_is_refused_and_not_followed_for_ever(backward: bytes) -> None:
    with pytest.raises(WeightsError, match="bytes") as refused:
        archive_members(InMemory(backward + bytes(10_240)), {"one.tar": ""})
    assert refused.value.reason is Reason.UNSAFE_SOURCE


@given(st.data())
def test_a_spoiled_archive_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(tar_of({"a": b"1" * 600, "b" * 150: b"2"}, {"c": "a"}))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with only_refusals():
        archive_members(InMemory(bytes(content)), {"one.tar": ""})
