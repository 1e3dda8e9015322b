"""What the chart makes for Prometheus' operator and for Grafana's sidecar, where that is asked for."""

import json
import re
from functools import cache

import yaml

from stoker.core.names import AGENT_PORT, METRICS_PATH, MODEL_LABEL, SERVER_PORT, TASK_LABEL
from stoker.telemetry.dashboards.all import DASHBOARDS
from stoker.telemetry.dashboards.panels import grafana
from stoker.telemetry.rules.engine_series import kept_series
from stoker.telemetry.rules.rule_file import groups
from tests.unit.chart.objects import Json, objects, of_kind, only

KINDS = ("ServiceMonitor", "PodMonitor", "PrometheusRule")
# A ConfigMap holds no more.
MOST_BYTES = 1_048_576


@cache
def everything(*namespaces: str) -> list[Json]:
    parts: Json = {part: {"enabled": True} for part in ("serviceMonitor", "podMonitor", "rules", "dashboards")}
    parts["rules"]["runbooks"] = "https://wiki.example.com/runbooks"
    parts["podMonitor"]["labels"] = {"release": "prometheus"}
    return objects({"monitoring": parts, "configuration": {"watch": {"namespaces": list(namespaces)}}})


def test_nothing_is_made_for_a_prometheus_that_may_not_be_there() -> None:
    found = objects()
    assert [one for kind in KINDS for one in of_kind(kind, found)] == []
    assert len(of_kind("ConfigMap", found)) == 1


def test_the_operators_service_is_found_and_its_own_labels_stay() -> None:
    spec, service = only("ServiceMonitor", everything())["spec"], only("Service", everything())
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = spec["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] == "/metrics"
    assert endpoint["honorLabels"], "a model's namespace is not the operator's"


def test_every_agent_is_scraped_under_labels_that_never_change() -> None:
    monitor = only("PodMonitor", everything())
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["namespaceSelector"] == {"any": True}
    assert monitor["spec"]["selector"]["matchExpressions"] == [
        {"key": MODEL_LABEL, "operator": "Exists"},
        {"key": TASK_LABEL, "operator": "DoesNotExist"},
    ]
    endpoint = endpoints(everything())[AGENT_PORT]
    assert [relabeling["targetLabel"] for relabeling in endpoint["relabelings"]] == ["model"]


def endpoints(found: list[Json]) -> dict[str, Json]:
    """Of replicas, by the name of the port."""
    return {endpoint["port"]: endpoint for endpoint in only("PodMonitor", found)["spec"]["podMetricsEndpoints"]}


def annotation(name: str) -> str:
    """As a Prometheus calls it."""
    return "__meta_kubernetes_pod_annotation_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)


def test_every_engine_that_has_metrics_is_scraped_where_it_has_them() -> None:
    keep, path, model = endpoints(everything())[SERVER_PORT]["relabelings"]
    assert keep["sourceLabels"] == [annotation("prometheus.io/scrape"), "__meta_kubernetes_pod_ready"]
    assert (keep["regex"], keep["action"]) == ("true;true", "keep")
    assert path == {"sourceLabels": [annotation(METRICS_PATH)], "targetLabel": "__metrics_path__"}
    assert model["targetLabel"] == "model"


def test_of_an_engines_series_those_are_kept_that_somebody_asks_for() -> None:
    (kept,) = endpoints(everything())[SERVER_PORT]["metricRelabelings"]
    assert (kept["sourceLabels"], kept["action"]) == (["__name__"], "keep")
    assert kept["regex"].split("|") == list(kept_series())


def test_engines_can_be_left_out() -> None:
    found = objects({"monitoring": {"podMonitor": {"enabled": True, "engines": False}}})
    assert set(endpoints(found)) == {AGENT_PORT}


def test_an_operator_of_some_namespaces_has_only_these_scraped() -> None:
    assert only("PodMonitor", everything("team-a"))["spec"]["namespaceSelector"] == {"matchNames": ["team-a"]}


def test_the_rules_are_those_of_the_code_and_lead_to_the_runbooks() -> None:
    spec = only("PrometheusRule", everything())["spec"]
    text = yaml.safe_dump(groups()).replace("RUNBOOKS/", "https://wiki.example.com/runbooks/")
    assert spec == yaml.safe_load(text)


def test_every_dashboard_is_there_word_for_word_and_small_enough() -> None:
    (found,) = (one for one in of_kind("ConfigMap", everything()) if one["metadata"]["name"] == "stoker-dashboards")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert {name: json.loads(text) for name, text in found["data"].items()} == {
        f"stoker-{dashboard.name}.json": grafana(dashboard) for dashboard in DASHBOARDS
    }
    assert sum(map(len, found["data"].values())) < MOST_BYTES // 4
