"""Where the time goes between the order of a replica and its first token."""

from stoker.telemetry.dashboards.panels import PICKED, Dashboard, Panel, Query


def _quantile(share: float) -> str:
    buckets = f"increase(stoker_model_startup_seconds_bucket{{{PICKED}}}[1h])"
    return f"histogram_quantile({share}, sum by (namespace, model, stage, le) ({buckets}))"


def _mean() -> str:
    count, total = (f"increase(stoker_model_startup_seconds_{part}{{{PICKED}}}[1h])" for part in ("count", "sum"))
    by = "sum by (namespace, model, stage)"
    return f"{by} ({total}) / ({by} ({count}) > 0)"


COLD_START = Dashboard(
    "cold-start",
    "Cold start",
    (
        Panel(
            "Stages of a start, mean of the last hour",
            (Query(_mean(), "{{model}} {{stage}}"),), "s",
            meaning="queued: until a node is found. provisioning: no node can take it. pulling: image and volumes."
            " loading: the engine. ready: all of it.",
        ),
        Panel("Stages of a start, p90 of the last hour", (Query(_quantile(0.9), "{{model}} {{stage}}"),), "s"),
        Panel(
            "Starts in the last hour",
            (
                Query(
                    "sum by (namespace, model)"
                    f' (increase(stoker_model_startup_seconds_count{{stage="ready", {PICKED}}}[1h]))'
                ),
            ),
        ),
        Panel(
            "What the next start is expected to take",
            (Query(f"stoker_model_lead_seconds{{{PICKED}}}"),), "s",
            meaning="Learned, and what scaling counts on.",
        ),
        Panel(
            "Phases of loading, by the engine's own log",
            (
                Query(
                    f"avg by (namespace, model, phase) (stoker_replica_startup_seconds{{{PICKED}}})",
                    "{{model}} {{phase}}",
                ),
            ),
            "s", meaning="Of the replicas that run now. Engines tell as many of them apart as they log.",
        ),
        Panel(
            "Accelerators that wait for a model to load",
            (Query(f'sum by (namespace, model) (stoker_model_accelerators{{state="loading", {PICKED}}})'),),
            stacked=True,
        ),
        Panel(
            "Replicas that start",
            (Query(f'stoker_model_replicas{{state="starting", {PICKED}}}'),),
        ),
    ),
)  # fmt: skip
