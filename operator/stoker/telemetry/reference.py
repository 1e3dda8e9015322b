"""docs/reference/metrics.md: every series that the operator and the agents export."""

from collections.abc import Iterable

from stoker.telemetry import catalogue
from stoker.telemetry.catalogue import Metric
from stoker.telemetry.rules.alerts import ALERTS
from stoker.telemetry.rules.engine_recording import ENGINE_RECORDINGS
from stoker.telemetry.rules.engine_series import SERIES, EngineSeries
from stoker.telemetry.rules.recording import RECORDINGS
from stoker_runtime.agent.exposition import FAMILIES, PREFIX

_INTRODUCTION = """\
<!-- Generated from operator/stoker/telemetry by `make generate`. Do not edit. -->
# Metrics

[Observability](../guides/observability.md) tells how to scrape them, and what the dashboards and alerts make of them.
What is unknown has no sample, and is never 0.

The operator answers `/metrics` on `probes.port` (8080). Only the operator that acts tells of models; a model that is
deleted is gone from the next scrape on. Counters begin anew with each leader. Besides these there are `process_*` and
`python_info`, as from every Python client of Prometheus.
"""
_AGENT = """\

## Of a replica

Each agent answers `/metrics` on its control port (8010). None of these has a label of the model, the pod or the tier:
the first two come from the scrape, and the tier, which changes while the replica lives, from `stoker_replica_info`.

| metric | kind | meaning |
|---|---|---|
"""
_COMPUTED = """\

## Computed by Prometheus

| metric | meaning | expression |
|---|---|---|
"""
_OF_ENGINES = """\

## Computed by Prometheus, of the engines' own metrics

Of the replicas that `stoker_replica_info` knows, with an agent or without one. They begin where a request has reached
the engine; the agents' begin at the pod's port. [How to scrape the engines](../guides/observability.md#switch-it-on).

| metric | meaning | expression |
|---|---|---|
"""
_BY_ENGINE = """\

What an engine does not say, no rule computes. Versions differ: [what is read of their
metrics](../engines.md#what-is-read-of-their-metrics). `triton` and `bentoml` have what the vLLM within them reports,
and a `custom` server what its page has of these names. A mean of `tgi` and `tensorrt-llm` is one over requests, of each
request's own mean; the others' are over tokens.

| engine | time to the first token | time between tokens | tokens of answers | tokens of prompts |
|---|---|---|---|---|
"""
_NOTHING = "none"
_ALERTS = """\

## Alerts

| alert | severity | after | expression |
|---|---|---|---|
"""


def metrics_reference() -> str:
    parts = [_INTRODUCTION]
    parts += ["\n## Of the operator\n", _table(catalogue.OF_THE_OPERATOR)]
    parts += ["\n## Of the fleet\n", _table(catalogue.OF_THE_FLEET)]
    parts += ["\n## Of a model\n", _table(catalogue.OF_A_MODEL), _AGENT]
    parts += [f"| `{PREFIX}{name}` | {kind} | {meaning} |\n" for name, (kind, meaning) in FAMILIES.items()]
    parts.append(_COMPUTED)
    parts += [
        f"| `{each.name}` | {each.meaning} | {_code(each.expression)} |\n"
        for each in RECORDINGS
        if each not in ENGINE_RECORDINGS
    ]
    parts.append(_OF_ENGINES)
    parts += [f"| `{each.name}` | {each.meaning} | {_code(each.expression)} |\n" for each in ENGINE_RECORDINGS]
    parts.append(_BY_ENGINE)
    parts += [f"| `{engine}` | {' | '.join(_covered(series))} |\n" for engine, series in SERIES.items()]
    parts.append(_ALERTS)
    parts += [
        f"| [{each.name}](../runbooks/{each.page}.md) | {each.severity} | {each.wait} | {_code(each.expression)} |\n"
        for each in ALERTS
    ]
    return "".join(parts)


def _table(metrics: Iterable[Metric]) -> str:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.meaning} |"
        for metric in metrics
    ]
    return "\n".join(("\n| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, ""))


def _covered(series: EngineSeries) -> tuple[str, ...]:
    itl = "quantiles, mean" if series.itl_buckets else "mean" if series.itl_sums else _NOTHING
    tokens = ("yes" if names else _NOTHING for names in (series.output_tokens, series.prompt_tokens))
    return ("quantiles" if series.ttft_buckets else _NOTHING, itl, *tokens)


def _code(expression: str) -> str:
    return f"`{expression}`".replace("|", "\\|")
