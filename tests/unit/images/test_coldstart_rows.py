"""The rows of the measurement differ by what their names say, and leave the image as they found it."""

from pathlib import Path

import pytest

from bench.coldstart.__main__ import set_collector
from bench.coldstart.image_root import ImageRoot
from bench.coldstart.measures import MEASURES
from bench.coldstart.page_cache import evict, files_below, loaded_at_a_start, read
from build_steps.python_start import COLLECTOR


@pytest.fixture
def root(tmp_path: Path) -> ImageRoot:
    packages = tmp_path / "usr/local/lib/python3.11/dist-packages"
    packages.mkdir(parents=True)
    (packages / "stoker.pth").write_text(f"/opt/stoker\n{COLLECTOR}\n")
    return ImageRoot(tmp_path, {"HOME": "/tmp", "LANG": "C"})  # noqa: S108 - in there


def start_file(root: ImageRoot) -> str:
    (path,) = root.folder.rglob("stoker.pth")
    return path.read_text()


def test_the_collectors_setting_is_taken_away_and_given_back(root: ImageRoot) -> None:
    before = start_file(root)
    set_collector(root, seldom=False)
    assert start_file(root) == "/opt/stoker\n"
    for _ in range(2):
        set_collector(root, seldom=True)
        assert start_file(root) == before


def test_the_images_environment_is_kept_but_for_what_a_row_changes(root: ImageRoot) -> None:
    command = root.command(["python3"], {"LANG": "C.UTF-8"})
    assert command[-3:] == ["HOME=/tmp", "LANG=C.UTF-8", "python3"]


def test_rows_have_names_of_their_own_and_serve_the_same_model() -> None:
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert len({measure.arguments[-1] for measure in MEASURES}) == 1


def test_only_what_an_import_loads_is_read_ahead_and_small_files_first(tmp_path: Path) -> None:
    for name, size_bytes in {"large.so": 300, "b.pyc": 20, "libx.so.1": 100, "notes.txt": 1}.items():
        (tmp_path / name).write_bytes(b"x" * size_bytes)
    (tmp_path / "link.so").symlink_to("large.so")
    chosen = loaded_at_a_start(files_below(tmp_path))
    assert [path.name for path in chosen] == ["b.pyc", "libx.so.1", "large.so"]
    read(chosen)
    evict(chosen)
    assert chosen[0].read_bytes() == b"x" * 20
