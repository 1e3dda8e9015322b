"""What the Containerfile runs inside the image."""

import py_compile
import site
import subprocess
import sys
from pathlib import Path

import pytest

from build_steps import byte_compile, python_start, trim_packages

MODE = py_compile.PycInvalidationMode


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text("x = 1\n")
    return path


def test_a_module_without_byte_code_is_compiled_once(module: Path) -> None:
    assert not byte_compile.trusted(module)
    assert byte_compile.compiled(module)
    assert byte_compile.trusted(module)


@pytest.mark.parametrize("mode", [MODE.TIMESTAMP, MODE.CHECKED_HASH])
def test_byte_code_that_python_would_check_at_each_start_is_made_anew(module: Path, mode: MODE) -> None:
    py_compile.compile(str(module), invalidation_mode=mode)
    assert not byte_compile.trusted(module)


def test_byte_code_of_another_python_is_made_anew(module: Path) -> None:
    byte_compile.compiled(module)
    (code,) = (module.parent / "__pycache__").iterdir()
    code.write_bytes(b"\0\0\r\n" + code.read_bytes()[4:])
    assert not byte_compile.trusted(module)


@pytest.mark.parametrize("text", ["def broken(:\n", "x = '\0'\n"])
def test_a_module_for_another_python_is_left_alone(module: Path, text: str) -> None:
    module.write_text(text)
    assert not byte_compile.compiled(module)


def _services(packages: Path, *names: str) -> Path:
    data = packages / "botocore" / "data"
    for name in names:
        (data / name).mkdir(parents=True)
    (data / "endpoints.json").write_text("{}")
    return data


def test_only_the_services_that_lead_to_credentials_stay(tmp_path: Path) -> None:
    data = _services(tmp_path, *trim_packages.USED, "ec2", "braket")
    trim_packages.main(tmp_path)
    assert {path.name for path in data.iterdir()} == {*trim_packages.USED, "endpoints.json"}


def test_a_botocore_that_names_them_otherwise_stops_the_build(tmp_path: Path) -> None:
    _services(tmp_path, "ec2", "security-token-service")
    with pytest.raises(SystemExit, match="botocore lacks"):
        trim_packages.main(tmp_path)


def test_folders_are_added_behind_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(tmp_path / "absent"), str(tmp_path)])
    python_start.main(["/opt/stoker", "/opt/stoker/packages"])
    *folders, _ = (tmp_path / "stoker.pth").read_text().splitlines()
    assert folders == ["/opt/stoker", "/opt/stoker/packages"]


def test_every_start_of_python_there_collects_garbage_less_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(tmp_path)])
    python_start.main(["/opt/stoker"])
    script = f"import gc, site; before = gc.get_threshold(); site.addsitedir({str(tmp_path)!r}); "
    script += "print(gc.get_threshold()[0] > 10 * before[0])"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert answer.stdout == "True\n"


def test_a_python_without_a_folder_for_packages_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "getsitepackages", list)
    with pytest.raises(SystemExit, match="no folder for packages"):
        python_start.main(["/opt/stoker"])
