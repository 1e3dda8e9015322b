"""What the chart renders, as objects."""

import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.unit.chart.helm import rendered

Json = dict[str, Any]
REGISTRY = "registry.example.com/stoker"


def objects(values: Json | None = None) -> list[Json]:
    with tempfile.TemporaryDirectory() as folder:
        return [one for one in yaml.safe_load_all(rendered("--values", written(values, Path(folder)))) if one]


def installed(values: Json | None = None) -> list[Json]:
    """Without what is there for a test's time only."""
    return [one for one in objects(values) if "helm.sh/hook" not in one["metadata"].get("annotations", {})]


def written(values: Json | None, folder: Path) -> str:
    """The values as a file, with a registry where they name none."""
    path = folder / "values.yaml"
    path.write_text(yaml.safe_dump({"registry": REGISTRY} | (values or {})), encoding="utf-8")
    return str(path)


def of_kind(kind: str, found: list[Json]) -> list[Json]:
    return [one for one in found if one["kind"] == kind]


def only(kind: str, found: list[Json]) -> Json:
    (one,) = of_kind(kind, found)
    return one
