"""A comparison that was stopped goes on where it was, and only with what its own sources computed."""

from pathlib import Path

from bench.autoscaling.kept import KeptRows
from bench.autoscaling.running import Row, Task
from bench.autoscaling.setting import Cell, Setting

FIRST, SECOND = (Task(Cell("steady", 40.0, 0), Setting("stoker"), seed) for seed in (1, 2))
PEER = Task(Cell("steady", 40.0, 0), Setting("hpa"), 1)


def row(task: Task, share: float) -> Row:
    return Row(task.cell, task.setting, task.seed, share, 1.0, share, 0.5, 2.0, 0.0, 0.0, 0)


def sources(tmp_path: Path, text: str = "one") -> Path:
    folder = tmp_path / "root" / "operator" / "stoker" / "core"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rule.py").write_text(text)
    return tmp_path / "root"


def test_what_was_computed_is_not_computed_again(tmp_path: Path) -> None:
    KeptRows(tmp_path, sources(tmp_path)).keep(FIRST, row(FIRST, 0.9))
    again = KeptRows(tmp_path, sources(tmp_path))
    assert again.unknown([FIRST, SECOND]) == [SECOND]
    assert again.known([FIRST, SECOND]) == [row(FIRST, 0.9)]


def test_a_record_that_was_cut_off_is_computed_again_and_harms_no_other(tmp_path: Path) -> None:
    kept = KeptRows(tmp_path, sources(tmp_path))
    kept.keep(FIRST, row(FIRST, 0.9))
    kept.keep(SECOND, row(SECOND, 0.8))
    (path,) = tmp_path.glob("stoker-*.rows")
    path.write_bytes(path.read_bytes()[:-7])
    again = KeptRows(tmp_path, sources(tmp_path))
    assert again.unknown([FIRST, SECOND]) == [SECOND]
    again.keep(SECOND, row(SECOND, 0.7))
    assert KeptRows(tmp_path, sources(tmp_path)).known([FIRST, SECOND]) == [row(FIRST, 0.9), row(SECOND, 0.7)]


def test_other_sources_know_nothing(tmp_path: Path) -> None:
    KeptRows(tmp_path, sources(tmp_path)).keep(FIRST, row(FIRST, 0.9))
    assert KeptRows(tmp_path, sources(tmp_path, "another")).unknown([FIRST]) == [FIRST]


def test_how_stoker_decides_changes_nothing_about_its_peers(tmp_path: Path) -> None:
    kept = KeptRows(tmp_path, sources(tmp_path))
    kept.keep(FIRST, row(FIRST, 0.9))
    kept.keep(PEER, row(PEER, 0.8))
    assert KeptRows(tmp_path, sources(tmp_path, "another")).unknown([FIRST, PEER]) == [FIRST]
    (tmp_path / "root" / "operator" / "stoker" / "sim").mkdir()
    (tmp_path / "root" / "operator" / "stoker" / "sim" / "world.py").write_text("")
    assert KeptRows(tmp_path, sources(tmp_path)).unknown([FIRST, PEER]) == [FIRST, PEER]
