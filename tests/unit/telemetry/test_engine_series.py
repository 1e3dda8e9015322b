"""Which series of the engines' own the rules ask for."""

import re
from dataclasses import astuple

from stoker.api.v1alpha1.engine import EngineName
from stoker.signals.prometheus.names import series_of as asked_by_the_operator
from stoker.telemetry.rules.engine_recording import ENGINE_RECORDINGS
from stoker.telemetry.rules.engine_series import SERIES, kept_series, of_every_engine, series_of
from stoker_runtime.readings import WITHOUT_METRICS
from stoker_runtime.readings.names import ENGINES, Names

ASKED_BY_RULES = {
    name for recording in ENGINE_RECORDINGS for name in re.findall(r"rate\(([^[]+)\[", recording.expression)
}


def test_every_engine_is_known_but_one_that_nobody_described() -> None:
    assert set(EngineName) - set(SERIES) == {EngineName.CUSTOM}


def test_an_engine_without_metrics_is_asked_for_nothing_and_every_other_for_tokens() -> None:
    for engine, series in SERIES.items():
        assert any(astuple(series)) == (engine not in WITHOUT_METRICS)
        assert bool(series.output_tokens and series.prompt_tokens) == (engine not in WITHOUT_METRICS)


def test_a_mean_has_a_count_for_each_sum() -> None:
    for series in SERIES.values():
        assert len(series.itl_sums) == len(series.itl_counts)


def test_means_of_requests_are_no_gaps_between_tokens() -> None:
    series = series_of(Names(itl=(b"gaps",), itl_means=(b"means",)))
    assert series.itl_buckets == ("gaps_bucket",)
    assert series.itl_sums == ("gaps_sum", "means_sum")


def test_seconds_of_answers_are_divided_by_their_tokens() -> None:
    series = series_of(Names(output_tokens=(b"tokens",), output_seconds=(b"seconds",)))
    assert (series.itl_sums, series.itl_counts) == (("seconds",), ("tokens",))


def test_the_rules_ask_for_the_series_of_all_engines() -> None:
    assert {name for names in astuple(of_every_engine()) for name in names} == ASKED_BY_RULES


def test_a_name_that_several_engines_have_is_asked_once() -> None:
    for names in astuple(of_every_engine()):
        assert len(set(names)) == len(names)


def test_what_rules_and_operator_ask_for_is_kept_and_nothing_else() -> None:
    operators = {
        series.name
        for figure in asked_by_the_operator(ENGINES).values()
        for series in figure
        if not series.name.startswith("stoker_")
    }
    assert ASKED_BY_RULES - set(kept_series()) == set()
    assert operators - set(kept_series()) == set()
    assert set(kept_series()) == ASKED_BY_RULES | operators
