"""What a volume may say: it is full, read-only, damaged, has the file already, or something of somebody else."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.journal import Journal
from tests.unit.fetch.origin import Fault, served
from tests.unit.fetch.runs import PART, Place, content, fetch, fetching, is_published, listed

LARGE = content(PART * 6 + 777)
FILES = {"model.safetensors": LARGE, "config.json": b"{}"}
LISTED = [listed(path, data) for path, data in FILES.items()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", tmp_path], check=False).returncode:
        pytest.skip("only root can mount a disk of 300 KiB")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_volume_that_is_too_small_is_told_before_the_first_byte(small_disk: Path) -> None:
    with served(FILES) as origin:
        with pytest.raises(WeightsError) as raised:
            fetch(small_disk, Place(origin.address, LISTED))
        assert origin.asked == []
    assert raised.value.reason == Reason.DISK_FULL
    assert "0.38 MiB more are needed" in raised.value.message
    assert "of 0.29 MiB are free" in raised.value.message


def test_a_disk_that_fills_up_on_the_way_is_told_and_what_came_is_kept(small_disk: Path) -> None:
    with served(FILES) as origin:
        unknown = [replace(file, size_bytes=None) for file in LISTED]
        with pytest.raises(WeightsError) as raised:
            fetch(small_disk, Place(origin.address, unknown))
    assert raised.value.reason == Reason.DISK_FULL
    assert not is_published(small_disk, FILES)
    assert list((small_disk / ".stoker" / "partial").iterdir())


def test_a_volume_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", tmp_path], check=False).returncode:
        pytest.skip("only root can mount")
    try:
        with served(FILES) as origin, pytest.raises(WeightsError) as raised:
            fetch(tmp_path, Place(origin.address, LISTED))
    finally:
        subprocess.run(["umount", "-l", tmp_path], check=True)
    assert raised.value.reason == Reason.VOLUME_NOT_WRITABLE
    assert "fsGroup" in raised.value.message


def test_a_file_that_another_folder_has_is_linked(tmp_path: Path) -> None:
    changed = {**FILES, "config.json": b'{"a": 1}'}
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED), owner="a.one")
        origin.files.update(changed)
        origin.asked.clear()
        fetch(
            tmp_path,
            Place(origin.address, [listed(path, data) for path, data in changed.items()]),
            folder="m-r2",
            owner="a.two",
        )
        assert [asked.path for asked in origin.asked] == ["config.json"]
    assert is_published(tmp_path, FILES)
    assert is_published(tmp_path, changed, "m-r2")
    assert (tmp_path / "m-r2" / "model.safetensors").samefile(tmp_path / "m-r1" / "model.safetensors")


def test_a_linked_file_that_is_damaged_is_fetched_and_the_other_folder_is_left_alone(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED), owner="a.one")
        damaged = bytes([LARGE[0] ^ 1]) + LARGE[1:]
        (tmp_path / "m-r1" / "model.safetensors").write_bytes(damaged)
        fetch(tmp_path, Place(origin.address, LISTED), folder="m-r2", owner="a.two")
    assert is_published(tmp_path, FILES, "m-r2")
    assert (tmp_path / "m-r1" / "model.safetensors").read_bytes() == damaged


def test_a_published_folder_that_lost_a_file_is_fetched_again(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED))
        (tmp_path / "m-r1" / "config.json").unlink()
        fetch(tmp_path, Place(origin.address, LISTED))
        assert is_published(tmp_path, FILES)


def test_verifying_finds_a_byte_that_changed_on_the_disk(tmp_path: Path) -> None:
    with served(FILES) as origin:
        fetch(tmp_path, Place(origin.address, LISTED))
        (tmp_path / "m-r1" / "model.safetensors").write_bytes(b"\0" * len(LARGE))
        assert fetch(tmp_path, Place(origin.address, LISTED)).fetched_bytes == 0
        run = fetching(tmp_path, Place(origin.address, LISTED))
        run.run(verify=True)
        run.close()
        assert is_published(tmp_path, FILES)


def test_a_folder_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "m-r1").mkdir()
    with served(FILES) as origin, pytest.raises(WeightsError, match=r"not published by Stoker") as raised:
        fetch(tmp_path, Place(origin.address, LISTED))
    assert raised.value.reason == Reason.VOLUME_NOT_WRITABLE


@pytest.mark.parametrize(
    "path", ["../a", "/a", "a/../../b", "", ".", "a//b", "manifest.json", ".stoker-journal", ".stoker/refs/x", "a\0b"]
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, path: str) -> None:
    with served(FILES) as origin, pytest.raises(WeightsError) as raised:
        fetch(tmp_path, Place(origin.address, [listed(path, b"x")]))
    assert raised.value.reason == Reason.UNSAFE_SOURCE


@pytest.mark.parametrize("folder", ["../m", "a/b", ".stoker", "", "a" * 300])
def test_a_folder_name_that_leads_elsewhere_is_refused(tmp_path: Path, folder: str) -> None:
    with served(FILES) as origin, pytest.raises(WeightsError) as raised:
        fetch(tmp_path, Place(origin.address, LISTED), folder=folder)
    assert raised.value.reason == Reason.UNSAFE_SOURCE


def test_digests_of_other_kinds_are_checked_too(tmp_path: Path) -> None:
    blob = listed("model.safetensors", LARGE, sha256=None, git_blob_sha1="0" * 40)
    with served(FILES) as origin:
        with pytest.raises(WeightsError, match="git blob sha1"):
            fetch(tmp_path, Place(origin.address, [blob]))
        with pytest.raises(WeightsError, match="md5"):
            fetch(tmp_path, Place(origin.address, [replace(blob, git_blob_sha1=None, md5="0" * 32)]))


def test_after_a_crash_of_the_node_only_what_was_synced_counts(tmp_path: Path) -> None:
    before = Journal(tmp_path, boot="first")
    before.started("a", 30, "d")
    before.done("a", (0, 10))
    before.synced(before.line_count())
    before.done("a", (10, 20))
    before.close()
    with (tmp_path / ".stoker-journal").open("a") as journal:
        journal.write('{"file": "a", "do')
    for boot, spans in (("first", [(0, 10), (10, 20)]), ("second", [(0, 10)])):
        after = Journal(tmp_path, boot=boot)
        assert after.recorded["a"].done == spans
        after.close()


def test_a_run_that_finds_other_files_listed_keeps_none_of_the_old(tmp_path: Path) -> None:
    with served(FILES) as origin:
        origin.faults.append(Fault(status=404, path="config.json"))
        with pytest.raises(WeightsError):
            fetch(tmp_path, Place(origin.address, LISTED))
        changed = {"model.safetensors": LARGE[::-1]}
        origin.files.update(changed)
        fetch(tmp_path, Place(origin.address, [listed(path, data) for path, data in changed.items()]))
    assert is_published(tmp_path, changed)
    assert {path.name for path in (tmp_path / "m-r1").iterdir()} == {"model.safetensors", "manifest.json"}
