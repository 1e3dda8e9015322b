from pathlib import Path

import pytest

from tests.unit.chart.golden_files import FOLDER, VALUE_SETS, golden_file, readable

REMEDY = "read the difference; if it is wanted, run `python -m tests.unit.chart.golden_files`"


@pytest.mark.parametrize("values", VALUE_SETS, ids=lambda path: path.stem)
def test_the_chart_renders_what_was_reviewed(values: Path) -> None:
    assert readable(values).splitlines() == golden_file(values).read_text(encoding="utf-8").splitlines(), REMEDY


def test_every_golden_file_has_its_values() -> None:
    names = {path.name for path in VALUE_SETS}
    assert {path.name for path in (FOLDER / "golden").iterdir()} == names
    assert len(names) >= 12
