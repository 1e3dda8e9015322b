"""Every dashboard, and its JSON."""

import json

from stoker.telemetry.dashboards.cold_start import COLD_START
from stoker.telemetry.dashboards.cost import COST
from stoker.telemetry.dashboards.fleet import FLEET
from stoker.telemetry.dashboards.model import MODEL
from stoker.telemetry.dashboards.panels import Dashboard, grafana
from stoker.telemetry.dashboards.scaling import SCALING

DASHBOARDS = (FLEET, MODEL, SCALING, COLD_START, COST)


def as_json(dashboard: Dashboard) -> str:
    return json.dumps(grafana(dashboard), indent=1) + "\n"
