"""What Grafana makes of a dashboard does not depend on how it was written."""

from itertools import combinations

import pytest

from stoker.telemetry.dashboards.all import DASHBOARDS
from stoker.telemetry.dashboards.panels import Dashboard, grafana

Rectangle = dict[str, int]


def overlap(a: Rectangle, b: Rectangle) -> bool:
    return (
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_panels_lie_beside_each_other_inside_the_grid(dashboard: Dashboard) -> None:
    places = [panel["gridPos"] for panel in grafana(dashboard)["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    assert not [pair for pair in combinations(places, 2) if overlap(*pair)]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda dashboard: dashboard.name)
def test_a_dashboard_has_a_name_of_its_own_and_what_its_expressions_ask_to_be_picked(dashboard: Dashboard) -> None:
    made = grafana(dashboard)
    assert sum(other.name == dashboard.name for other in DASHBOARDS) == 1
    picked = {variable["name"] for variable in made["templating"]["list"]}
    expressions = " ".join(target["expr"] for panel in made["panels"] for target in panel["targets"])
    for name in ("namespace", "model"):
        assert (f"${name}" in expressions) == (name in picked)
    titles = [panel["title"] for panel in made["panels"]]
    assert len(set(titles)) == len(titles)
