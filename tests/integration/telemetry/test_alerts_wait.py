"""promtool lives through hours: each alert waits as long as it says, and then says which model and why."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stoker.telemetry.rules.alerts import ALERTS, Alert
from stoker.telemetry.rules.rule_file import groups

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (apt-get install prometheus)"
)

MODEL = {"namespace": "models", "model": "llama"}


class Case(NamedTuple):
    series: dict[str, str]  # with their values, minute by minute
    says: str
    labels: dict[str, str]


def condition(kind: str, reason: str, value: int, says: str) -> Case:
    labels = {"type": kind, "reason": reason}
    return Case({named("stoker_model_condition", **labels): f"{value}+0x200"}, says, MODEL | labels)


def named(name: str, **labels: str) -> str:
    return f"{name}{{{', '.join(f'{label}={json.dumps(value)}' for label, value in (MODEL | labels).items())}}}"


CASES = {
    "StokerModelNotReady": Case(
        {named("stoker_model_info"): "1+0x200"}, "No replica of models/llama takes traffic.", MODEL
    ),
    "StokerLoadUnknown": Case(
        {named("stoker_model_seen_replicas", reading="unknown"): "2+0x200"},
        "Ready replicas of models/llama that do not tell their load: 2. None is removed.",
        MODEL | {"reading": "unknown"},
    ),
    "StokerRolloutStuck": condition(
        "Progressing", "RollingOut", 1, "The rollout of models/llama does not come to an end."
    ),
    "StokerQueueOverObjective": Case(
        {
            named("stoker_replica_engine_waiting"): "90+0x200",
            named("stoker_replica_arrivals_total"): "0+60x200",
            named("stoker_model_queue_wait_objective_seconds"): "1+0x200",
        },
        "Requests to models/llama wait 1m 30s in the engines, longer than queueWaitMilliseconds.",
        MODEL,
    ),
    "StokerFirstTokenLate": Case(
        {
            named("stoker_replica_ttft_seconds_bucket", le="5.0"): "0+0x200",
            named("stoker_replica_ttft_seconds_bucket", le="10.0"): "0+60x200",
            named("stoker_replica_ttft_seconds_bucket", le="+Inf"): "0+60x200",
            named("stoker_model_ttft_objective_seconds"): "2+0x200",
        },
        "The p95 to the first token of models/llama is 9.75s, above ttftMilliseconds.",
        MODEL,
    ),
    "StokerCrashLoop": condition("Degraded", "CrashLoop", 1, "Replicas of models/llama do not stay up: CrashLoop."),
    "StokerDoesNotFit": condition(
        "FitsGPU", "DoesNotFit", 0, "models/llama does not fit the memory of its accelerators."
    ),
    "StokerCapacityShort": condition(
        "Scheduled", "Unschedulable", 0, "models/llama needs more replicas than there is room for: Unschedulable."
    ),
    "StokerWeightsFailing": condition(
        "WeightsReady", "DiskFull", 0, "The weights of models/llama do not arrive: DiskFull."
    ),
    "StokerOperatorDown": Case(
        {},
        "No Stoker operator acts. Models serve on, and nothing scales, rolls out or is replaced on purpose.",
        {},
    ),
}


def lived_through(alert: Alert, case: Case) -> dict[str, Any]:
    minutes = int(alert.wait.removesuffix("m"))
    alerts = [{
        "exp_labels": case.labels | {"severity": alert.severity},
        "exp_annotations": {"summary": case.says, "runbook_url": f"RUNBOOKS/{alert.page}.md"},
    }]  # fmt: skip
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        # Rates need a minute more.
        "alert_rule_test": [
            {"eval_time": f"{minutes - 1}m", "alertname": alert.name, "exp_alerts": []},
            {"eval_time": f"{minutes + 2}m", "alertname": alert.name, "exp_alerts": alerts},
        ],
    }


def ask_promtool(folder: Path, *tests: dict[str, Any]) -> str:
    """What it complains of."""
    (folder / "rules.json").write_text(json.dumps(groups()))
    whole = {"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": list(tests)}
    (folder / "tests.json").write_text(json.dumps(whole))
    answer = subprocess.run(
        ["promtool", "test", "rules", "tests.json"], cwd=folder, capture_output=True, text=True, check=False
    )
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr


def test_an_alert_waits_as_long_as_it_says_and_then_says_what_it_is_about(tmp_path: Path) -> None:
    assert ask_promtool(tmp_path, *(lived_through(alert, CASES[alert.name]) for alert in ALERTS)) == ""


def test_a_model_that_is_fetched_or_suspended_wakes_nobody(tmp_path: Path) -> None:
    for reason, kind in (("Downloading", "WeightsReady"), ("Suspended", "Ready")):
        series = {named("stoker_model_info"): "1+0x200"} | condition(kind, reason, 0, "").series
        quiet = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"eval_time": "2h", "alertname": "StokerModelNotReady", "exp_alerts": []}],
        }
        assert ask_promtool(tmp_path, quiet) == ""
