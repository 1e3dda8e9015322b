"""Every expression of rules, alerts and dashboards, asked of a real Prometheus: it finds what is there, and an alert
fires when it should and only then."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoker.telemetry.catalogue import METRICS
from stoker.telemetry.dashboards.all import DASHBOARDS, as_json
from stoker.telemetry.rules.alerts import ALERTS, Alert
from stoker.telemetry.rules.engine_series import SERIES
from stoker.telemetry.rules.recorded import Recording, measured
from stoker.telemetry.rules.recording import RECORDINGS
from stoker_runtime.agent.exposition import FAMILIES, PREFIX
from stoker_runtime.readings import read
from tests.integration.telemetry.engine_pages import PAGES
from tests.integration.telemetry.scraped_world import (
    AllIsWell,
    EverythingIsWrong,
    Prometheus,
    WithoutAgents,
    prometheus_of,
)

ROOT = Path(__file__).parents[3]
PANELS = [
    pytest.param(query.expression, id=f"{dashboard.name}: {panel.title} {number}")
    for dashboard in DASHBOARDS
    for panel in dashboard.panels
    for number, query in enumerate(panel.queries)
]
EXPRESSIONS_OF_RULES = [each.expression for each in RECORDINGS] + [each.expression for each in ALERTS]
# What has data only where something is wrong.
ONLY_WHERE_WRONG = ("Degraded|Stalled", "ScalingLimited")
# What is of use where no agent measures, and what has data there.
ONLY_WITHOUT_AGENTS = ("engine_itl_seconds:mean",)
MEASURED = ("ttft_seconds", "itl_seconds", "output_tokens", "prompt_tokens", "per_million_tokens")
NAME = re.compile(r"\bstoker[a-z_]*(?::[a-z0-9_]+)*")


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus_of(AllIsWell(), tmp_path_factory.mktemp("well")) as prometheus:
        yield prometheus


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus_of(EverythingIsWrong(), tmp_path_factory.mktemp("wrong")) as prometheus:
        for alert in ALERTS:
            prometheus.wait_for(f'ALERTS{{alertname="{alert.name}"}}')
        yield prometheus


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus_of(WithoutAgents(), tmp_path_factory.mktemp("alone")) as prometheus:
        yield prometheus


def picked(expression: str, model: str = ".*") -> str:
    return expression.replace("$namespace", ".*").replace("$model", model)


@pytest.mark.parametrize("expression", PANELS)
def test_a_panel_has_data(expression: str, well: Prometheus, wrong: Prometheus, alone: Prometheus) -> None:
    marks = ((wrong, ONLY_WHERE_WRONG), (alone, ONLY_WITHOUT_AGENTS))
    where = next((world for world, mark in marks if any(each in expression for each in mark)), well)
    assert where.ask(picked(expression)), expression


@pytest.mark.parametrize(
    "expression", [panel for panel in PANELS if any(measure in str(panel.values[0]) for measure in MEASURED)]
)
def test_a_panel_of_latencies_or_tokens_has_data_without_agents(expression: str, alone: Prometheus) -> None:
    assert alone.ask(picked(expression)), expression


@pytest.mark.parametrize("expression", [panel for panel in PANELS if "$model" in str(panel.values[0])])
def test_a_panel_of_a_model_that_is_not_there_is_empty(expression: str, well: Prometheus) -> None:
    assert well.ask(picked(expression, "no-such-model")) == []


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_a_recording_rule_finds_the_model_and_is_computed(recording: Recording, well: Prometheus) -> None:
    assert {sample["metric"]["model"] for sample in well.ask(recording.expression)} == {"llama"}
    assert well.ask(recording.name)


def test_what_the_rules_compute_is_what_the_agents_counted(well: Prometheus) -> None:
    """Each of two agents has one request, ten tokens out and thirty in a second of its pages."""
    found = well.ask("stoker:model_output_tokens:rate / stoker:model_arrivals:rate")
    assert float(found[0]["value"][1]) == pytest.approx(10.0)
    found = well.ask("stoker:model_ttft_seconds:p95")
    assert 0.1 < float(found[0]["value"][1]) < 0.25
    tiers = {sample["metric"]["tier"]: float(sample["value"][1]) for sample in well.ask("stoker:tier_in_flight:sum")}
    assert tiers == {"serving": 3.0, "warm": 3.0}


def models_of(samples: list[dict[str, Any]]) -> dict[str, float]:
    return {sample["metric"]["model"]: float(sample["value"][1]) for sample in samples}


def test_engines_tell_what_their_pages_say(alone: Prometheus) -> None:
    """As far as that does not depend on how much of five minutes is over."""
    readings = {engine: read(engine, page) for engine, page in PAGES.items()}
    found = models_of(alone.ask("stoker:engine_output_tokens:rate / stoker:engine_prompt_tokens:rate"))
    expected = {
        engine: reading.output_tokens / reading.prompt_tokens
        for engine, reading in readings.items()
        if reading.output_tokens and reading.prompt_tokens
    }
    assert len(expected) == len(PAGES)
    assert found == pytest.approx(expected)
    means = {
        engine: reading.itl_sum_seconds / reading.itl_count
        for engine, reading in readings.items()
        if reading.itl_sum_seconds and reading.itl_count
    }
    means |= {"llamacpp": 1.2 / 77, "exllamav2": 4.5 / 200}
    assert models_of(alone.ask("stoker:engine_itl_seconds:mean")) == pytest.approx(means)


@pytest.mark.parametrize("measure", ["ttft", "itl"])
def test_engines_with_buckets_have_quantiles_and_the_others_have_none(measure: str, alone: Prometheus) -> None:
    quantiles = [models_of(alone.ask(f"stoker:engine_{measure}_seconds:p{share}")) for share in (50, 95, 99)]
    assert [set(each) for each in quantiles] == 3 * [
        {engine for engine, series in SERIES.items() if engine in PAGES and getattr(series, f"{measure}_buckets")}
        - {"triton"}  # whose page is without them
    ]
    for engine in quantiles[0]:
        assert 0 < quantiles[0][engine] <= quantiles[1][engine] <= quantiles[2][engine] <= 1


def test_engines_of_replicas_are_added_and_those_of_others_left_out(well: Prometheus) -> None:
    """Two replicas, and one more server that nobody knows."""
    (tokens,) = (each.expression for each in RECORDINGS if each.name == "stoker:engine_output_tokens:rate")
    raw = "rate(vllm:generation_tokens_total{pod=~'%s'}[5m])"
    assert len(well.ask(raw % ".*")) == 3
    (share,) = well.ask(f"{tokens} / on (namespace) group_left () sum by (namespace) ({raw % 'a|b'})")
    assert share["metric"]["model"] == "llama"
    assert float(share["value"][1]) == pytest.approx(1.0)


@pytest.mark.parametrize("measure", ["ttft_seconds:p95", "itl_seconds:p95"])
def test_an_engine_and_its_agents_tell_the_same_of_the_same_requests(measure: str, well: Prometheus) -> None:
    by_agents, by_engine = (models_of(well.ask(f"stoker:{who}_{measure}")) for who in ("model", "engine"))
    assert set(by_engine) == {"llama"}
    assert by_engine == pytest.approx(by_agents)


def test_where_agents_measure_panels_show_that(well: Prometheus) -> None:
    difference = f"{measured('prompt_tokens:rate')} - on (namespace, model) stoker:model_prompt_tokens:rate"
    assert models_of(well.ask(difference)) == {"llama": 0.0}
    assert well.ask("stoker:model_prompt_tokens:rate > 2 * stoker:engine_prompt_tokens:rate")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_is_silent_where_all_is_well_and_fires_where_it_is_not(
    alert: Alert, well: Prometheus, wrong: Prometheus
) -> None:
    assert well.ask(alert.expression) == []
    assert well.ask(f'ALERTS{{alertname="{alert.name}"}}') == []
    assert wrong.ask(alert.expression)


def test_an_alert_names_the_models_that_it_is_about(wrong: Prometheus) -> None:
    expected = {
        "StokerModelNotReady": {"not-ready", "new"},
        "StokerLoadUnknown": {"blind"},
        "StokerRolloutStuck": {"rolling"},
        "StokerQueueOverObjective": {"slow"},
        "StokerFirstTokenLate": {"slow"},
        "StokerCrashLoop": {"crashing"},
        "StokerDoesNotFit": {"too-large"},
        "StokerCapacityShort": {"limited", "unplaced"},
        "StokerWeightsFailing": {"unfetched"},
    }
    for name, models in expected.items():
        assert {alert["metric"]["model"] for alert in wrong.ask(f'ALERTS{{alertname="{name}"}}')} == models, name
    (alert,) = wrong.ask('ALERTS{alertname="StokerModelNotReady", model="new"}')
    assert alert["metric"]["owner"] == "search"


def exported() -> set[str]:
    """Every name that a series of ours may have."""
    names = {metric.name for metric in METRICS} | {PREFIX + name for name in FAMILIES}
    parts = {name + ending for name in names for ending in ("_bucket", "_sum", "_count")}
    return names | parts | {recording.name for recording in RECORDINGS}


def test_every_name_in_an_expression_is_one_that_the_code_exports() -> None:
    expressions = [str(panel.values[0]) for panel in PANELS]
    expressions += EXPRESSIONS_OF_RULES
    expressions += re.findall(r"label_values\(([^)]*)\)", "".join(map(as_json, DASHBOARDS)))
    used = {name for expression in expressions for name in NAME.findall(expression)}
    assert len(used) > 30
    assert used - exported() == set()


def test_every_metric_of_a_model_is_on_a_dashboard_or_behind_an_alert() -> None:
    """What nobody looks at is not worth its series."""
    shown = " ".join(str(panel.values[0]) for panel in PANELS)
    shown += " ".join(EXPRESSIONS_OF_RULES)
    unused = {metric.name for metric in METRICS if not re.search(rf"{metric.name}(_bucket|_sum|_count)?\b", shown)}
    assert unused == {"stoker_operator_info", "stoker_watch_objects"}


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages == {alert.page for alert in ALERTS}
    for alert in ALERTS:
        text = (ROOT / "docs" / "runbooks" / f"{alert.page}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {alert.name}\n"), alert.page
