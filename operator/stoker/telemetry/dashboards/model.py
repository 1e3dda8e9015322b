"""One model: what its clients see, what its replicas do, and what Stoker says of it."""

from stoker.telemetry.dashboards.panels import PICKED, Dashboard, Panel, Query


def _of(metric: str, more: str = "") -> str:
    return f"{metric}{{{PICKED}{more}}}"


def _quantiles(metric: str) -> tuple[Query, ...]:
    return tuple(Query(_of(f"{metric}:p{share}"), f"{{{{model}}}} p{share}") for share in (50, 95, 99))


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
                *_quantiles("stoker:model_ttft_seconds"),
                Query(_of("stoker_model_ttft_objective_seconds"), "{{model}} objective"),
            ),
            "s",
        ),
        Panel(
            "Between tokens",
            (
                *_quantiles("stoker:model_itl_seconds"),
                Query(_of("stoker_model_itl_objective_seconds"), "{{model}} objective"),
            ),
            "s",
        ),
        Panel(
            "Tokens per second",
            (
                Query(_of("stoker:model_output_tokens:rate"), "{{model}} out"),
                Query(_of("stoker:model_prompt_tokens:rate"), "{{model}} in"),
            ),
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
