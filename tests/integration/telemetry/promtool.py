"""promtool lives through hours of series that are written down, with the rules that the chart installs."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stoker.telemetry.rules.rule_file import groups

NEEDED = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)


def series(name: str, **labels: str) -> str:
    return f"{name}{{{', '.join(f'{label}={json.dumps(value)}' for label, value in labels.items())}}}"


def ask_promtool(folder: Path, *tests: dict[str, Any]) -> str:
    """What it complains of."""
    (folder / "rules.json").write_text(json.dumps(groups()))
    whole = {"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": list(tests)}
    (folder / "tests.json").write_text(json.dumps(whole))
    answer = subprocess.run(
        ["promtool", "test", "rules", "tests.json"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr
