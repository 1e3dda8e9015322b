"""Grafana's own models of a dashboard know every key and value of ours: what they read and write again is the same."""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.cache import cache_folder
from e2e.images.locked_packages import install
from stoker.telemetry.dashboards.all import DASHBOARDS
from stoker.telemetry.dashboards.panels import grafana

LOCK = Path(__file__).with_name("grafana.lock")
# In a process of its own, so that nothing of it is left where other tests run.
AGAIN = """
import json, sys
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
plugins.register_default_plugins()
print(JSONEncoder().encode([Dashboard.from_json(each) for each in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def packages() -> Path:
    """Grafana's foundation SDK, 2 MB, kept in the cache."""
    kept = cache_folder() / f"grafana-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            install(LOCK, Path(scratch, "packages"))
            Path(scratch, "packages").rename(kept)
    return kept


def again(packages: Path, *dashboards: Any) -> list[Any]:
    answer = subprocess.run(
        [sys.executable, "-c", AGAIN],
        input=json.dumps(dashboards),
        env={"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    found: list[Any] = json.loads(answer.stdout)
    return found


def lost(sent: Any, back: Any, at: str = "") -> Iterator[str]:
    """What is not there any more, or is another; defaults may have come."""
    if isinstance(sent, dict) and isinstance(back, dict):
        for key, value in sent.items():
            yield from lost(value, back.get(key), f"{at}.{key}")
    elif isinstance(sent, list) and isinstance(back, list) and len(sent) == len(back):
        for number, (one, other) in enumerate(zip(sent, back, strict=True)):
            yield from lost(one, other, f"{at}[{number}]")
    elif sent != back:
        yield f"{at}: {sent!r} became {back!r}"


def test_every_key_of_every_dashboard_is_one_that_grafana_knows(packages: Path) -> None:
    ours = [grafana(dashboard) for dashboard in DASHBOARDS]
    for sent, back in zip(ours, again(packages, *ours), strict=True):
        assert list(lost(sent, back, sent["title"])) == []


def test_a_key_that_it_does_not_know_is_found(packages: Path) -> None:
    """Of the dashboard, of a panel, of a kind of panel and of a query of Prometheus."""
    wrong = grafana(DASHBOARDS[0])
    panel = next(panel for panel in wrong["panels"] if panel["type"] == "timeseries")
    wrong["titel"] = panel["titel"] = panel["options"]["legend"]["mode"] = panel["targets"][0]["expression"] = "x"
    (back,) = again(packages, wrong)
    assert len(list(lost(wrong, back))) == 4
