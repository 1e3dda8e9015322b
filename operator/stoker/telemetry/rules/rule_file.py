"""The rules as Prometheus reads them: a file of groups, which is the spec of a PrometheusRule too."""

from typing import Any

import yaml

from stoker.telemetry.rules.alerts import ALERTS, Alert
from stoker.telemetry.rules.recording import RECORDINGS

# Where the pages are; the chart puts its own value in this place.
RUNBOOKS = "RUNBOOKS"


def groups() -> dict[str, Any]:
    recording = [{"record": each.name, "expr": each.expression} for each in RECORDINGS]
    return {
        "groups": [
            {"name": "stoker.models", "interval": "30s", "rules": recording},
            {"name": "stoker.alerts", "rules": [_alert(each) for each in ALERTS]},
        ]
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.wait,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook_url": f"{RUNBOOKS}/{alert.page}.md"},
    }


def rule_file(header: str) -> str:
    return header + yaml.safe_dump(groups(), sort_keys=False, width=110)
