"""One model: what its clients see, what its replicas do, and what Stoker says of it."""

from stoker.telemetry.dashboards.panels import PICKED, Dashboard, Panel, Query
from stoker.telemetry.rules.recorded import measured

_ITS_OWN = "As its agents measure it; where there are none, as the engine says"


def _of(metric: str, more: str = "") -> str:
    return f"{metric}{{{PICKED}{more}}}"


def _measured(measure: str) -> str:
    return measured(measure, f"{{{PICKED}}}")


def _quantiles(measure: str) -> tuple[Query, ...]:
    return tuple(Query(_measured(f"{measure}:p{share}"), f"{{{{model}}}} p{share}") for share in (50, 95, 99))


MODEL = Dashboard(
    "model",
    "One model",
    (
        Panel("Conditions that hold", (Query(f"{_of('stoker_model_condition')} == 1", ""),), kind="table"),
        Panel(
            "Replicas by state", (Query(_of("stoker_model_replicas"), "{{model}} {{state}}"),), stacked=True
        ),
        Panel(
            "Replicas ended for another one, in an hour",
            (Query(f"increase({_of('stoker_model_replaced_total')}[1h])", "{{model}} {{reason}}"),),
            meaning="Those that did not wake up, or not in time, and those whose device failed.",
        ),
        Panel(
            "To the first token",
            (
                *_quantiles("ttft_seconds"),
                Query(_of("stoker_model_ttft_objective_seconds"), "{{model}} objective"),
            ),
            "s", meaning=f"{_ITS_OWN}, which begins when the request has reached it.",
        ),
        Panel(
            "Between tokens",
            (
                *_quantiles("itl_seconds"),
                Query(
                    f"{_of('stoker:engine_itl_seconds:mean')} unless on (namespace, model)"
                    f" {_measured('itl_seconds:p95')}",
                    "{{model}} mean",
                ),
                Query(_of("stoker_model_itl_objective_seconds"), "{{model}} objective"),
            ),
            "s", meaning=f"{_ITS_OWN}. Some engines say no more than a mean.",
        ),
        Panel(
            "Tokens per second",
            (
                Query(_measured("output_tokens:rate"), "{{model}} out"),
                Query(_measured("prompt_tokens:rate"), "{{model}} in"),
            ),
            meaning=f"{_ITS_OWN}.",
        ),
        Panel(
            "Requests per second, by how they ended",
            (Query(_of("stoker:model_requests:rate"), "{{model}} {{outcome}}"),), "reqps", stacked=True,
        ),
        Panel(
            "Requests in flight, by tier",
            (Query(_of("stoker:tier_in_flight:sum"), "{{model}} {{tier}}"),), stacked=True,
        ),
        Panel(
            "Wait in the engines' queues",
            (
                Query(_of("stoker:model_queue_wait_seconds"), "{{model}}"),
                Query(_of("stoker_model_queue_wait_objective_seconds"), "{{model}} objective"),
            ),
            "s",
        ),
        Panel(
            "KV cache in use",
            (Query(f"max by (namespace, model) ({_of('stoker_replica_engine_kv_cache_share')})", "{{model}}"),),
            "percentunit", meaning="Of the fullest replica.",
        ),
        Panel(
            "Requests in flight of each replica",
            (Query(_of("stoker_replica_in_flight"), "{{pod}}"),),
            meaning="Lines far apart mean that clients hold on to their connections.",
        ),
        Panel(
            "Weights on the volume",
            (
                Query(
                    f"{_of('stoker_model_weights_fetched_bytes')} / {_of('stoker_model_weights_bytes')}", "{{model}}"
                ),
            ),
            "percentunit",
        ),
        Panel(
            "Who owns it",
            (Query(_of("stoker_model_info"), ""),), kind="table",
        ),
    ),
)  # fmt: skip
