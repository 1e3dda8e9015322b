"""What operator and agents tell arrives in a Prometheus of the cluster, and means what it says."""

import time
from pathlib import Path

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models, Operators
from e2e.operator.observed import ASK_THE_AGENT, OPERATOR_PORT, Observed, observing
from e2e.operator.streams import Load, with_agent
from e2e.running_cluster import RunningCluster, until
from stoker.telemetry.dashboards.all import DASHBOARDS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ENGINE = {"name": "simulated", "image": None, "custom": None, "maxConcurrency": 4, "args": ["--decode-base-ms", "25"]}
SCALING = {"maxReplicas": 4, "mode": "Auto", "warmReplicas": 1, "scaleDownDelaySeconds": 20}
# What is wrong here, and what nobody knows here: what engines say of themselves, since the agents' pages are scraped,
# how long prompts are, how large weights on a claim of one's own are, and, so early, how much a replica carries.
MAY_BE_EMPTY = (
    "Degraded|Stalled",
    "ScalingLimited",
    "engine_itl_seconds:mean",
    "prompt_tokens",
    "weights_bytes",
    "replica_capacity_per_second",
    "replica_concurrency",
)


def value(observed: Observed, expression: str) -> float:
    (sample,) = observed.wait_for(expression)
    return float(sample["value"][1])


def test_load_devices_cost_and_a_model_that_is_not_ready_are_told(
    models: Models, operators: Operators, cluster: RunningCluster, tmp_path: Path
) -> None:
    load_image(cluster.layout, "simulated")
    operator = operators.operator(
        probes={"port": OPERATOR_PORT},
        engines=with_agent(build_image("simulated").reference),
        gpuProducts=[{"name": "NVIDIA-L4", "hourlyPrice": "0.80"}],
        metrics={"modelLabels": {"owner": "example.com/owner"}},
    )
    namespace = models.namespace
    others = ("get", "mdep", "--all-namespaces", "--output=name")
    until(lambda: not cluster.kubectl(*others).strip(), "the models of other tests to be gone", 180)
    with operator, observing(cluster, tmp_path) as observed:
        observed.wait_for("stoker_leader == 1")  # before the first start: an increase needs a look before it
        template = {"metadata": {"annotations": ASK_THE_AGENT}}
        models.create(engine=ENGINE, scaling=SCALING, template=template)
        models.create("lost", model={"source": "pvc://no-such-claim/tiny"})
        namespace.kubectl("annotate", "mdep/web", "example.com/owner=search")
        models.wait_ready(seconds=120)
        with Load(models, rate=4.0, output_tokens=100).running():
            observed.wait_for('stoker:model_output_tokens:rate{model="web"} > 0', 120)
            until(lambda: value(observed, 'stoker_model_replicas{model="web", state="serving"}') >= 2, "growth", 120)
            observed.wait_for('stoker_model_decisions_total{model="web", direction="up"}')
            _assert_that_load_and_devices_are_told(observed)
            _assert_that_dashboards_have_data(observed)
        (alert,) = observed.wait_for('ALERTS{alertname="StokerModelNotReady", alertstate="firing"}')
        assert alert["metric"]["model"] == "lost"
        assert alert["metric"]["namespace"] == namespace.name
        namespace.kubectl("delete", "mdep/lost")
        until(lambda: not observed.ask('stoker_model_info{model="lost"}'), "its series to vanish", 30)


def _assert_that_load_and_devices_are_told(observed: Observed) -> None:
    assert value(observed, "stoker_leader") == 1
    assert value(observed, 'stoker_model_info{model="web", owner="search", engine="simulated"}') == 1
    assert 0 < value(observed, 'stoker:model_ttft_seconds:p95{model="web"}') < 60
    # Four requests of a hundred tokens each second, as far as replicas carry them and five minutes have passed.
    assert 0 < value(observed, 'stoker:model_output_tokens:rate{model="web"}') < 600
    tiers = {sample["metric"]["tier"] for sample in observed.wait_for('stoker:tier_in_flight:sum{model="web"}')}
    assert "serving" in tiers
    held = 'sum(stoker_model_accelerators{model="web", product="NVIDIA-L4"})'
    placed = 'count(stoker_replica_info{model="web", node!=""})'
    until(lambda: value(observed, held) == value(observed, placed), "a device for each replica", 30)
    # 0.80 for each device, whatever it does, and a rate over five minutes of which not all have passed.
    assert 0.0 < value(observed, 'stoker:model_cost:per_hour{model="web"}') < 4 * 0.80 * 1.2
    assert value(observed, 'stoker_model_startup_seconds_count{model="web", stage="ready"}') >= 1
    assert value(observed, 'sum(stoker_api_calls_total{verb="patch", code="200"})') > 0
    assert value(observed, "max(stoker_watch_silence_seconds)") < 150


def _assert_that_dashboards_have_data(observed: Observed) -> None:
    # The replica that took a promoted one's place may still start: nothing has increased until it is Ready.
    deadline = time.monotonic() + 60
    while (without := _panels_without_data(observed)) and time.monotonic() < deadline:
        time.sleep(1)
    assert without == []


def _panels_without_data(observed: Observed) -> list[str]:
    expressions = [
        query.expression.replace("$namespace", ".*").replace("$model", "web")
        for dashboard in DASHBOARDS
        for panel in dashboard.panels
        for query in panel.queries
    ]
    empty = [expression for expression in expressions if not observed.ask(expression)]
    print(f"{len(expressions) - len(empty)} of {len(expressions)} expressions of dashboards have data")
    return [each for each in empty if not any(mark in each for mark in MAY_BE_EMPTY)]
