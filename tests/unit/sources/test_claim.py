"""pvc://"""

import os
from pathlib import Path

import pytest

from stoker_runtime.failure import Reason
from stoker_runtime.fetch.sources.claim import ClaimSource
from tests.unit.sources.directed import Refusal, listed


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    folder = tmp_path / "mounted"
    (folder / "llama" / "sub").mkdir(parents=True)
    (folder / "llama" / "config.json").write_text("{}")
    (folder / "llama" / "sub" / "model.gguf").write_text("weights")
    (folder / "other").mkdir()
    (folder / "other" / "blob").write_text("blob")
    (tmp_path / "outside").write_text("secret")
    return folder


def source(mounted: Path, path: str | None = "llama", label: str | None = None) -> ClaimSource:
    return ClaimSource("shared", path, label, mounted)


def test_files_are_listed_where_they_are(mounted: Path) -> None:
    files = listed(source(mounted))
    assert set(files) == {"config.json", "sub/model.gguf"}
    assert source(mounted).where(files["sub/model.gguf"]).read_text() == "weights"
    assert set(listed(source(mounted, None))) == {"llama/config.json", "llama/sub/model.gguf", "other/blob"}


def test_the_revision_changes_with_size_or_time(mounted: Path) -> None:
    before = source(mounted).resolve()
    assert source(mounted).resolve() == before
    os.utime(mounted / "llama" / "config.json", (1, 1))
    changed = source(mounted).resolve()
    assert changed != before
    with Refusal(Reason.NOT_FOUND):
        source(mounted).files(before)


def test_a_label_alone_is_the_revision_and_two_labels_are_two(mounted: Path) -> None:
    before = source(mounted, label="a/b").resolve()
    (mounted / "llama" / "config.json").write_text("changed")
    assert source(mounted, label="a/b").resolve() == before
    assert source(mounted, label="a-b").resolve() != before


def test_links_are_followed_within_the_claim_as_the_hubs_cache_has_them(mounted: Path) -> None:
    (mounted / "llama" / "model.safetensors").symlink_to("../other/blob")
    assert listed(source(mounted))["model.safetensors"].size_bytes == 4


@pytest.mark.parametrize("target", ["../../outside", "/etc/hostname", ".."])
@pytest.mark.parametrize("place", ["llama/link", "llama/sub/link"])
def test_links_out_of_the_claim_are_refused(mounted: Path, target: str, place: str) -> None:
    (mounted / place).symlink_to("../" * (place.count("/") - 1) + target if target[0] == "." else target)
    if (mounted / place).resolve().is_relative_to(mounted):
        (mounted / place).unlink()
        (mounted / place).symlink_to("/")
    with Refusal(Reason.UNSAFE_SOURCE) as refusal:
        listed(source(mounted))
    assert "'link', which leads out of the claim" in refusal.message


def test_a_folder_that_is_itself_a_link_out_is_refused(mounted: Path) -> None:
    (mounted / "away").symlink_to(mounted.parent)
    with Refusal(Reason.UNSAFE_SOURCE):
        source(mounted, "away").resolve()


def test_a_file_stands_for_itself_and_not_for_what_lies_beside_it(mounted: Path) -> None:
    files = listed(source(mounted, "llama/sub/model.gguf"))
    assert set(files) == {"model.gguf"}
    assert source(mounted, "llama/sub/model.gguf").where(files["model.gguf"]).read_text() == "weights"


def test_a_part_stands_for_all_parts_of_its_model(mounted: Path) -> None:
    for name in ("a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "a-00001-of-00003.gguf", "b-00002-of-00002.gguf"):
        (mounted / "other" / name).write_text(name)
    files = listed(source(mounted, "other/a-00001-of-00002.gguf"))
    assert set(files) == {"a-00001-of-00002.gguf", "a-00002-of-00002.gguf"}


@pytest.mark.parametrize("path", ["../outside", "other/away"])
def test_a_file_out_of_the_claim_is_refused(mounted: Path, path: str) -> None:
    (mounted / "other" / "away").symlink_to("../../outside")
    with Refusal(Reason.UNSAFE_SOURCE):
        source(mounted, path).resolve()


@pytest.mark.parametrize("path", ["absent", "llama/config.json/x", "empty"])
def test_what_is_no_folder_with_files_is_not_found(mounted: Path, path: str) -> None:
    (mounted / "empty").mkdir()
    with Refusal(Reason.NOT_FOUND):
        source(mounted, path).resolve()


def test_a_link_that_leads_nowhere_or_round_is_told(mounted: Path) -> None:
    (mounted / "llama" / "gone").symlink_to("nothing")
    with Refusal(Reason.NOT_FOUND):
        listed(source(mounted))
    (mounted / "llama" / "gone").unlink()
    (mounted / "llama" / "round").symlink_to("round")
    with Refusal(Reason.UNREADABLE):
        listed(source(mounted))
