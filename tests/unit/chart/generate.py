"""Writes what is generated into the chart: `python -m tests.unit.chart.generate`, or with --check only compares it."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tests.unit.chart.generation.crd_template import crd_template
from tests.unit.chart.generation.places import CHART, ROOT
from tests.unit.chart.generation.readme import readme
from tests.unit.chart.generation.rules_template import rules_template
from tests.unit.chart.generation.values_schema import values_schema


def generated() -> Mapping[Path, str]:
    return {
        CHART / "templates" / "crd.yaml": crd_template(),
        CHART / "templates" / "_rules.tpl": rules_template(),
        CHART / "values.schema.json": values_schema(),
        CHART / "README.md": readme(),
    }


def drifted() -> list[str]:
    """The files, from the root, that are not what would be written."""
    return [
        str(path.relative_to(ROOT))
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        for name in drifted():
            print(f"{name} differs: run `python -m tests.unit.chart.generate` and commit the result", file=sys.stderr)
        return int(bool(drifted()))
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
