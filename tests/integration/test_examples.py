"""Every example of the documentation applies, and reads the same on the command line."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from stoker.api.parsing import parse_file
from tests.integration.api_server import ApiServer

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.yaml"))


def model_deployments(path: Path) -> list[dict[str, Any]]:
    return [doc for doc in yaml.safe_load_all(path.read_text()) if doc and doc["kind"] == "ModelDeployment"]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 9


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_applies_without_a_warning(api: ApiServer, path: Path) -> None:
    applied = api.kubectl("apply", "--dry-run=server", "-f", str(path))
    assert applied.returncode == 0, applied.stderr
    assert "Warning" not in applied.stderr
    for document in model_deployments(path):
        parse_file(document)
