"""Its image is built anew when its code has changed, and when only byte code has, it is not."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.images.catalogue import IMAGES, Image


@pytest.fixture
def image(tmp_path: Path) -> Image:
    """With a package that a test may change."""
    simulated = IMAGES["simulated"]
    assert simulated.code is not None
    package = tmp_path / "stoker_runtime"
    shutil.copytree(simulated.code, package, ignore=shutil.ignore_patterns("__pycache__"))
    return replace(simulated, code=package)


def package_of(image: Image) -> Path:
    assert image.code is not None
    return image.code


def test_the_key_does_not_depend_on_where_the_code_lies(image: Image) -> None:
    assert image.key() == IMAGES["simulated"].key()


def test_changed_code_changes_the_key(image: Image) -> None:
    before = image.key()
    (package_of(image) / "__init__.py").write_text("changed = True\n")
    assert image.key() != before


def test_byte_code_does_not(image: Image) -> None:
    before = image.key()
    (package_of(image) / "__pycache__").mkdir()
    (package_of(image) / "__pycache__" / "x.cpython-311.pyc").touch()
    assert image.key() == before


def test_what_is_copied_is_what_the_key_has_seen(image: Image, tmp_path: Path) -> None:
    image.fill_context(tmp_path / "context", image.folder)
    copied = {
        path.relative_to(tmp_path / "context" / "site" / "stoker_runtime") for path in _files(tmp_path / "context")
    }
    assert copied == {path.relative_to(package_of(image)) for path in _files(package_of(image))}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
