"""promtool lives through hours: each alert waits as long as it says, and then says which model and why."""

from pathlib import Path
from typing import Any, NamedTuple

from stoker.telemetry.rules.alerts import ALERTS, Alert
from tests.integration.telemetry.promtool import NEEDED, ask_promtool, series

pytestmark = NEEDED

MODEL = {"namespace": "models", "model": "llama"}


class Case(NamedTuple):
    series: dict[str, str]  # with their values, minute by minute
    says: str
    labels: dict[str, str]


def condition(kind: str, reason: str, value: int, says: str) -> Case:
    labels = {"type": kind, "reason": reason}
    return Case({named("stoker_model_condition", **labels): f"{value}+0x200"}, says, MODEL | labels)


def named(name: str, **labels: str) -> str:
    return series(name, **MODEL | labels)


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


def test_an_alert_waits_as_long_as_it_says_and_then_says_what_it_is_about(tmp_path: Path) -> None:
    assert ask_promtool(tmp_path, *(lived_through(alert, CASES[alert.name]) for alert in ALERTS)) == ""


def test_a_first_token_is_late_by_the_engines_own_account_where_no_agent_measures_it(tmp_path: Path) -> None:
    pod = {"namespace": "models", "pod": "a", "job": "engines", "instance": "a:8000"}
    buckets = {
        series("vllm:time_to_first_token_seconds_bucket", le=le, **pod): f"0+{rate}x200"
        for le, rate in (("5.0", 0), ("10.0", 60), ("+Inf", 60))
    }
    late = CASES["StokerFirstTokenLate"]
    found = buckets | {
        named("stoker_replica_info", pod="a", tier="serving"): "1+0x200",
        named("stoker_model_ttft_objective_seconds"): "2+0x200",
    }
    (alert,) = (alert for alert in ALERTS if alert.name == "StokerFirstTokenLate")
    assert ask_promtool(tmp_path, lived_through(alert, late._replace(series=found))) == ""


def test_a_model_that_is_fetched_or_suspended_wakes_nobody(tmp_path: Path) -> None:
    for reason, kind in (("Downloading", "WeightsReady"), ("Suspended", "Ready")):
        found = {named("stoker_model_info"): "1+0x200"} | condition(kind, reason, 0, "").series
        quiet = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in found.items()],
            "alert_rule_test": [{"eval_time": "2h", "alertname": "StokerModelNotReady", "exp_alerts": []}],
        }
        assert ask_promtool(tmp_path, quiet) == ""
