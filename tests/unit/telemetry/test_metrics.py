"""What the operator exports of the models: every metric of the catalogue, nothing else, and nothing of what is gone."""

import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stoker.core.names import Tier
from stoker.telemetry import catalogue
from stoker.telemetry.catalogue import Kind
from stoker.telemetry.devices import Prices
from stoker.telemetry.meter import Meter
from stoker.telemetry.model_facts import facts_of
from stoker.telemetry.model_series import add_model
from stoker.telemetry.operator_series import OperatorSeries
from stoker.telemetry.page import Page
from stoker.telemetry.rules.engine_series import kept_series
from stoker.telemetry.scrape import Scrape
from stoker_runtime.agent.exposition import exposition
from stoker_runtime.simulated.metrics import Metrics
from tests.unit.telemetry.fleet import (
    LABELS,
    PRODUCTS,
    agent,
    conditions,
    explanation,
    facts,
    manifest,
    replica,
    view,
    whole_fleet,
)

# What 600 replicas of 100 models cost a Prometheus: 600 agents, their engines, and the operator that tells of them.
MOST_OF_AN_AGENT = 80
MOST_OF_AN_ENGINE = 60
MOST_OF_THE_OPERATOR = 15_000
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(page: Page) -> Series:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in page.collect()
        for sample in family.samples
    }


def of(found: Series, name: str, **labels: str) -> list[float]:
    wanted = frozenset(labels.items())
    return [value for (its, has), value in found.items() if its == name and wanted <= has]


def one_model(*stated: dict[str, str], pods: tuple[object, ...] = (), e: object = None) -> Series:
    page, meter = Page(), Meter[str](Prices())
    add_model(page, view("llama", pods, meter, facts("llama", *stated), e), PRODUCTS)  # type: ignore[arg-type]
    return series(page)


def test_every_metric_of_a_model_is_told_and_no_other() -> None:
    told = {name for name, _ in series(whole_fleet(1, 5))}
    documented = set()
    for metric in catalogue.OF_A_MODEL:
        endings = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
        documented |= {metric.name + ending for ending in endings}
    assert told == documented


def test_the_labels_are_those_that_are_documented() -> None:
    documented = {metric.name: set(metric.labels) for metric in catalogue.METRICS}
    for name, labels in series(whole_fleet(1, 5)):
        if name in documented and name != catalogue.MODEL_INFO.name:
            assert {label for label, _ in labels} == documented[name], name


def test_600_replicas_stay_within_their_budget_of_series() -> None:
    began = time.process_time()
    fleet = whole_fleet(100, 6)
    took = time.process_time() - began
    print(f"{len(fleet)} series of 100 models with 600 replicas in {took:.2f} s")
    assert len(fleet) <= MOST_OF_THE_OPERATOR
    lines = [line for line in exposition(agent()).decode().splitlines() if not line.startswith("#")]
    print(f"{len(lines)} series of an agent")
    assert len(lines) <= MOST_OF_AN_AGENT
    gauges = dict.fromkeys(("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"), 0.0)
    page = Metrics("llama", 32_768).text(gauges, 0, 0)
    kept = [line for line in page.splitlines() if re.split(r"[{ ]", line)[0] in kept_series()]
    print(f"{len(kept)} series of an engine that has vLLM's")
    assert 0 < len(kept) <= MOST_OF_AN_ENGINE


def test_a_condition_is_1_or_0_and_what_nobody_knows_has_no_sample() -> None:
    found = one_model(*conditions(Ready=("Unknown", "WaitingForOperator"), Degraded=("True", "CrashLoop")))
    assert of(found, "stoker_model_condition", type="Ready") == []
    assert of(found, "stoker_model_condition", type="Degraded", reason="CrashLoop") == [1.0]
    assert of(found, "stoker_model_condition", type="Stalled") == [0.0]


def test_a_model_that_no_operator_has_looked_at_wants_nothing_that_is_known() -> None:
    fresh = manifest("llama")
    del fresh["status"]
    page, meter = Page(), Meter[str](Prices())
    add_model(page, view("llama", (), meter, facts_of(fresh, {})), PRODUCTS)
    found = series(page)
    assert of(found, "stoker_model_wanted_replicas") == []
    assert of(found, "stoker_model_weights_bytes") == []
    assert of(found, "stoker_model_replicas", state="serving") == [0.0]


def test_a_load_that_nobody_knows_is_not_zero() -> None:
    found = one_model(e=explanation(known=0, unknown=2, in_flight=0, waiting=0, rate_per_second=None))
    assert of(found, "stoker_model_in_flight_requests") == []
    assert of(found, "stoker_model_arrivals_per_second") == []
    assert of(found, "stoker_model_seen_replicas", reading="unknown") == [2.0]


def test_owner_and_cost_centre_come_from_labels_or_annotations_and_a_label_wins() -> None:
    both = manifest("llama", labels={"example.com/owner": "ads"})
    assert facts_of(both, LABELS).labels == (("owner", "ads"), ("cost_centre", ""))
    found = one_model()
    assert of(found, "stoker_model_info", owner="search", engine="vllm", served_name="llama") == [1.0]


def test_a_replica_is_counted_by_what_it_is() -> None:
    pods = (
        replica("a"), replica("b", Tier.WARM), replica("c", ready=False), replica("d", Tier.DRAINING, ready=False),
        replica("e", deleting=True), replica("f", phase="Failed"), replica("w", tier=""),
    )  # fmt: skip
    found = one_model(pods=pods)
    counts = {state: of(found, "stoker_model_replicas", state=state) for state in ("serving", "warm", "asleep")}
    assert counts == {"serving": [1.0], "warm": [1.0], "asleep": [0.0]}
    assert of(found, "stoker_model_replicas", state="starting") == [1.0]
    assert of(found, "stoker_model_replicas", state="draining") == [2.0]
    assert of(found, "stoker_replica_info", pod="b", tier="warm") == [1.0]


async def test_an_operator_that_stands_by_tells_of_itself_only() -> None:
    operator = OperatorSeries("1.2.3")
    scrape = Scrape(operator.registry)
    text = (await scrape.text()).decode()
    assert "stoker_leader 0.0" in text
    assert 'stoker_operator_info{version="1.2.3"} 1.0' in text
    assert "stoker_model" not in text


async def test_the_whole_answer_can_be_read() -> None:
    operator = OperatorSeries("1")
    operator.called("GET", 200, 0.01)
    operator.called("WATCH", None, 4.0)
    operator.leads()
    scrape = Scrape(operator.registry)

    async def page() -> Page:
        return whole_fleet(2, 3)

    scrape.page = page
    read = {}
    for family in text_string_to_metric_families((await scrape.text()).decode()):
        for sample in family.samples:
            read[sample.name, sample.labels.get("code")] = sample.value
    assert read["stoker_leader", None] == 1.0
    assert read["stoker_api_calls_total", "none"] == 1.0
    assert read["stoker_model_info", None] == 1.0
    assert not [name for name, _ in read if name.endswith("_created")]


def test_a_look_that_fails_is_counted_as_such() -> None:
    operator = OperatorSeries("1")
    with operator.looking():
        pass
    with operator.looking() as look:
        look.outcome = "moved_on"
    with pytest.raises(ZeroDivisionError), operator.looking():
        _ = 1 / 0
    counts = {
        outcome: operator.registry.get_sample_value("stoker_look_seconds_count", {"outcome": outcome})
        for outcome in ("done", "moved_on", "failed")
    }
    assert counts == {"done": 1.0, "moved_on": 1.0, "failed": 1.0}
