"""`python -m bench.pictures --url PROMETHEUS`: panels of the dashboards as SVG, from what a Prometheus has of the last
minutes.

    STOKER_E2E_CLUSTER=NAME python -m pytest e2e/operator/test_telemetry.py --basetemp=FOLDER
    prometheus --storage.tsdb.path=FOLDER/.../data --config.file=/dev/null --web.listen-address=127.0.0.1:9090
    python -m bench.pictures --url http://127.0.0.1:9090 --model web
"""

import argparse
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from stoker.sim.plot import Panel, Series, svg
from stoker.telemetry.dashboards.all import DASHBOARDS
from stoker.telemetry.dashboards.panels import Panel as Drawn
from stoker.telemetry.dashboards.panels import Query

STEP_SECONDS = 2
MOST_SERIES = 8
UNITS = {"s": "seconds", "percentunit": "share", "ops": "per second", "reqps": "requests per second"}
# Those of the guide: dashboard, panels.
PICTURES = {
    "model": ("To the first token", "Tokens per second", "Requests in flight, by tier"),
    "scaling": ("Wanted, there, and the limits", "Who asks for how many"),
    "fleet": ("Accelerators by what they do", "Replicas by state"),
}


def asked(url: str, query: Query, model: str, began: float, ended: float) -> list[dict[str, Any]]:
    expression = query.expression.replace("$namespace", ".*").replace("$model", model)
    fields = urlencode({"query": expression, "start": began, "end": ended, "step": STEP_SECONDS})
    with urlopen(f"{url}/api/v1/query_range?{fields}", timeout=30) as answer:  # noqa: S310 - where the user says
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def legend(query: Query, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), query.legend) or "all"


def drawn(panel: Drawn, options: argparse.Namespace, began: float, ended: float) -> Panel:
    series = [
        Series(legend(query, found["metric"]), points(found["values"], began))
        for query in panel.queries
        for found in asked(options.url, query, options.model, began, ended)
    ]
    busiest = sorted(series, key=lambda one: -max(value for _, value in one.points))[:MOST_SERIES]
    return Panel(panel.title, "seconds", UNITS.get(panel.unit, "count"), busiest)


def points(values: list[list[Any]], began: float) -> list[tuple[float, float]]:
    return [(at - began, float(value)) for at, value in values if value not in {"NaN", "+Inf"}] or [(0.0, 0.0)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures")
    parser.add_argument("--url", required=True)
    parser.add_argument("--model", default=".*")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--end", type=float, default=time.time(), help="in seconds since 1970")
    parser.add_argument("--folder", type=Path, default=Path("docs/images"))
    options = parser.parse_args()
    began = options.end - 60 * options.minutes
    options.folder.mkdir(parents=True, exist_ok=True)
    for dashboard in DASHBOARDS:
        titles = PICTURES.get(dashboard.name, ())
        panels = [drawn(panel, options, began, options.end) for panel in dashboard.panels if panel.title in titles]
        if panels:
            path = options.folder / f"dashboard-{dashboard.name}.svg"
            path.write_text(svg(panels), encoding="utf-8")
            print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
