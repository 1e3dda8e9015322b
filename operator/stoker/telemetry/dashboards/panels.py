"""The parts that a dashboard is made of, and the JSON that Grafana makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# What a panel of one model, or of those that were picked, is restricted to.
PICKED = 'namespace=~"$namespace", model=~"$model"'


@dataclass(frozen=True)
class Query:
    """`legend` names a series by its labels, as {{model}}."""

    expression: str
    legend: str = "{{namespace}}/{{model}}"


@dataclass(frozen=True)
class Panel:
    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"  # or stat, or table
    width: int = 12
    height: int = 8
    stacked: bool = False
    meaning: str = ""


@dataclass(frozen=True)
class Dashboard:
    name: str
    title: str
    panels: tuple[Panel, ...]
    picks_models: bool = True


def grafana(dashboard: Dashboard) -> Json:
    return {
        "uid": f"stoker-{dashboard.name}",
        "title": f"Stoker / {dashboard.title}",
        "tags": ["stoker"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": list(_variables(dashboard))},
        "panels": _placed(dashboard.panels),
    }


def _variables(dashboard: Dashboard) -> list[Json]:
    found: list[Json] = [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}]
    if dashboard.picks_models:
        found.append(_picked("namespace", "label_values(stoker_model_info, namespace)"))
        found.append(_picked("model", 'label_values(stoker_model_info{namespace=~"$namespace"}, model)'))
    return found


def _picked(name: str, query: str) -> Json:
    return {
        "name": name,
        "label": name.capitalize(),
        "type": "query",
        "datasource": _SOURCE,
        "query": query,
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _placed(panels: Sequence[Panel]) -> list[Json]:
    """From left to right, in rows that are as high as their highest panel."""
    placed, x, y, row_height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _WIDTH:
            x, y, row_height = 0, y + row_height, 0
        placed.append(_panel(panel, number) | {"gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y}})
        x, row_height = x + panel.width, max(row_height, panel.height)
    return placed


def _panel(panel: Panel, number: int) -> Json:
    instant = panel.kind != "timeseries"
    targets = [
        {
            "refId": chr(ord("A") + index),
            "expr": query.expression,
            "legendFormat": query.legend,
            "datasource": _SOURCE,
            "instant": instant,
            "range": not instant,
        }
        | ({"format": "table"} if panel.kind == "table" else {})
        for index, query in enumerate(panel.queries)
    ]
    drawn = {"fillOpacity": 30, "stacking": {"mode": "normal"}} if panel.stacked else {}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": drawn}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if panel.kind == "timeseries" else {},
    }
