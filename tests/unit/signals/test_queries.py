"""PromQL for the whole fleet."""

import pytest

from stoker.signals.prometheus.names import Series, series_of
from stoker.signals.prometheus.queries import Labels, Queries, quoted
from stoker_runtime.readings.names import ENGINES


def test_only_fresh_samples_count_once_for_each_pod() -> None:
    query = Queries(Labels(), 90.0).value([Series("up")])
    assert query.startswith("max by (namespace, pod) (sum by (namespace, pod, cluster, ")
    assert query.endswith('(up{pod!=""} and timestamp(up{pod!=""}) > time() - 90))')


def test_the_names_of_a_fleet_are_those_of_its_engines_after_the_agents() -> None:
    assert [series.name for series in series_of({"sglang", "vllm"})["running"]] == [
        "stoker_replica_engine_running",
        "sglang:num_running_reqs",
        "vllm:num_requests_running",
    ]


@pytest.mark.parametrize("engine", ["custom", ""])
def test_an_engine_that_nobody_described_may_be_any(engine: str) -> None:
    assert series_of({"vllm", engine})["running"] == series_of(ENGINES)["running"]


def test_labels_are_quoted() -> None:
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


def test_labels_by_which_only_scrapes_differ_can_be_added() -> None:
    assert ", receive, replica, service, site)" in Queries(Labels(scrape=("site",)), 90.0).value([Series("up")])
