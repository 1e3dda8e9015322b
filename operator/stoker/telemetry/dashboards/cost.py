"""What models cost, and how much of it serves nobody."""

from stoker.telemetry.dashboards.panels import PICKED, Dashboard, Panel, Query

_SECONDS = f"increase(stoker_model_accelerator_seconds_total{{{PICKED}}}[1h])"
_IDLE = f'increase(stoker_model_accelerator_seconds_total{{{PICKED}, state!="serving"}}[1h])'

COST = Dashboard(
    "cost",
    "Cost",
    (
        Panel(
            "Cost per hour",
            (Query(f"sum(stoker:model_cost:per_hour{{{PICKED}}})", ""),), kind="stat", width=6, height=4,
        ),
        Panel(
            "Share of device time without a request",
            (Query(f"sum({_IDLE}) / sum({_SECONDS})", ""),), "percentunit", kind="stat", width=6, height=4,
            meaning="Idle, warm, asleep, loading and draining, in the last hour.",
        ),
        Panel("Price of a device for an hour", (Query("stoker_accelerator_hourly_price", ""),), kind="table", height=4),
        Panel("Cost per hour, by model", (Query(f"stoker:model_cost:per_hour{{{PICKED}}}"),), stacked=True),
        Panel(
            "Devices, by what they do",
            (Query(f"sum by (state) (stoker:model_accelerators:rate{{{PICKED}}})", "{{state}}"),), stacked=True,
        ),
        Panel(
            "Cost of the last hour, by what the devices did",
            (Query(f"sum by (state) (increase(stoker_model_cost_total{{{PICKED}}}[1h]))", "{{state}}"),), stacked=True,
        ),
        Panel("Cost per million tokens", (Query(f"stoker:model_cost:per_million_tokens{{{PICKED}}}"),)),
        Panel(
            "Who pays how much per hour",
            (
                Query(
                    f"stoker:model_cost:per_hour{{{PICKED}}}"
                    " * on (namespace, model) group_left (owner, cost_centre, engine) stoker_model_info",
                    "",
                ),
            ),
            kind="table", width=24,
            meaning="With the labels owner and cost_centre, where metrics.modelLabels of the configuration has them.",
        ),
    ),
)  # fmt: skip
