"""The fleet at a glance: what serves, what is wrong, where the accelerators are, and how the operator does."""

from stoker.telemetry.dashboards.panels import Dashboard, Panel, Query
from stoker.telemetry.rules.recorded import measured

_HELD = "sum(stoker_model_accelerators)"

FLEET = Dashboard(
    "fleet",
    "Fleet overview",
    (
        Panel("Models", (Query("sum(stoker_models)", ""),), kind="stat", width=4, height=4),
        Panel(
            "Models that are ready",
            (Query('sum(stoker_model_condition{type="Ready"})', ""),),
            kind="stat", width=4, height=4,
        ),
        Panel("Accelerators held", (Query(_HELD, ""),), kind="stat", width=4, height=4),
        Panel(
            "Share of accelerators held",
            (Query(f"{_HELD} / sum(stoker_accelerators)", ""),),
            "percentunit", kind="stat", width=4, height=4,
        ),
        Panel(
            "Tokens per second",
            (Query(f"sum({measured('output_tokens:rate')})", ""),), kind="stat", width=4, height=4,
        ),
        Panel(
            "Operators that act",
            (Query("sum(stoker_leader)", ""),),
            kind="stat", width=4, height=4, meaning="1 in each installation.",
        ),
        Panel(
            "What is wrong",
            (Query('stoker_model_condition{type=~"Degraded|Stalled"} == 1', ""),),
            kind="table", meaning="Models that are degraded, and why.",
        ),
        Panel(
            "Accelerators by what they do",
            (Query("sum by (state) (stoker_model_accelerators)", "{{state}}"),), stacked=True,
        ),
        Panel("Requests in flight", (Query("stoker:model_in_flight:sum"),), stacked=True),
        Panel("p95 to the first token", (Query(measured("ttft_seconds:p95")),), "s"),
        Panel("Replicas by state", (Query("sum by (state) (stoker_model_replicas)", "{{state}}"),), stacked=True),
        Panel(
            "Models that wait for a look",
            (Query("sum(stoker_queue_depth)", "waiting"),),
        ),
        Panel(
            "Looks at models",
            (Query("sum by (outcome) (rate(stoker_look_seconds_count[5m]))", "{{outcome}}"),), "ops",
        ),
        Panel(
            "How long a look takes",
            (
                Query("histogram_quantile(0.5, sum by (le) (rate(stoker_look_seconds_bucket[5m])))", "p50"),
                Query("histogram_quantile(0.99, sum by (le) (rate(stoker_look_seconds_bucket[5m])))", "p99"),
            ),
            "s",
        ),
        Panel(
            "Requests to the API server",
            (Query("sum by (verb, code) (rate(stoker_api_calls_total[5m]))", "{{verb}} {{code}}"),), "ops",
        ),
        Panel(
            "How long requests to the API server take",
            (
                Query(
                    "histogram_quantile(0.99, sum by (le, verb) (rate(stoker_api_call_seconds_bucket[5m])))", "{{verb}}"
                ),
            ),
            "s",
        ),
        Panel(
            "Silence of the watches",
            (Query("max by (resource) (stoker_watch_silence_seconds)", "{{resource}}"),),
            "s", meaning="The API server speaks about once a minute; after 300 s the operator counts as unwell.",
        ),
    ),
    picks_models=False,
)  # fmt: skip
