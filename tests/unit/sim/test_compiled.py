"""What the bench compiles: a state of the sources is compiled once, and what cannot be compiled runs as it is."""

from pathlib import Path

import pytest

from bench.autoscaling import compiled


@pytest.fixture(autouse=True)
def small_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing that takes a minute to compile."""
    package = tmp_path / "operator" / "stoker"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "one.py").write_text("def twice(value: float) -> float:\n    return 2.0 * value\n")
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    monkeypatch.setattr(compiled, "SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(compiled, "PACKAGES", ("operator/stoker",))
    monkeypatch.setattr(compiled, "COMPILED", ("stoker/one.py",))
    return package


def test_a_state_of_the_sources_is_compiled_once(capsys: pytest.CaptureFixture[str]) -> None:
    folder = compiled.built()
    if folder is None:
        pytest.skip(f"no C compiler here: {capsys.readouterr().out}")
    assert list(folder.glob("stoker/one.*.so"))
    capsys.readouterr()
    assert compiled.built() == folder
    assert not capsys.readouterr().out


def test_another_state_of_the_sources_is_another_copy(small_sources: Path) -> None:
    before = compiled._state()
    (small_sources / "one.py").write_text("def twice(value: float) -> float:\n    return value + value\n")
    assert compiled._state() != before


def test_what_does_not_compile_runs_as_it_is(small_sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_sources / "one.py").write_text("def twice(value: float) -> float:\n    return 'no number'\n")
    assert compiled.built() is None
    assert "not compiled" in capsys.readouterr().out


def test_it_starts_itself_again_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(compiled.FROM, "somewhere")
    compiled.start_again_compiled("bench.autoscaling", [])
