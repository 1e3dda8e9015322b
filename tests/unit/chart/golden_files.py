"""What helm makes of each set, kept to be read in a diff; `python -m tests.unit.chart.golden_files` writes it."""

import re
from pathlib import Path

from tests.unit.chart.helm import rendered

FOLDER = Path(__file__).parent
VALUE_SETS = sorted((FOLDER / "values").glob("*.yaml"))
# The definition is compared with crds/ by a test of its own; the key is another one each time.
_DEFINITION = re.compile(r"(kind: CustomResourceDefinition\n.*?\nspec:\n).*?(?=\n---\n)", re.DOTALL)
_RANDOM_KEY = re.compile(r"^(immutable: true\ndata:\n  \S+: )[A-Za-z0-9+/]{86}==$", re.MULTILINE)

# Files of the chart's own, which are compared with what makes them.
_DASHBOARD = re.compile(r"^(  stoker-\S+\.json: \|\n)(?:    .*\n)+", re.MULTILINE)
_TRIAL = re.compile(r"^(      args:\n        - \|\n).*?(?=^      env:)", re.MULTILINE | re.DOTALL)


def golden_file(values: Path) -> Path:
    return FOLDER / "golden" / values.name


def readable(values: Path) -> str:
    text = _DEFINITION.sub(r"\g<1>  # as in crds/", rendered("--values", str(values)))
    text = _DASHBOARD.sub(r"\g<1>    # as in files/dashboards\n", text)
    text = _TRIAL.sub(r"\g<1>          # as in tests/trial.py\n", text)
    return _RANDOM_KEY.sub(r"\g<1><64 random characters>", text)


if __name__ == "__main__":
    for value_set in VALUE_SETS:
        golden_file(value_set).write_text(readable(value_set), encoding="utf-8")
