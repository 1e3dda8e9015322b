"""Why there are as many replicas as there are."""

from stoker.telemetry.dashboards.panels import PICKED, Dashboard, Panel, Query

SERVING = ', state="serving"'
LIMITED = ', type="ScalingLimited"'


def _of(metric: str, more: str = "") -> str:
    return f"{metric}{{{PICKED}{more}}}"


_DECISIONS = _of("stoker_model_decisions_total")
SCALING = Dashboard(
    "scaling",
    "Scaling decisions",
    (
        Panel(
            "Wanted, there, and the limits",
            (
                Query(_of("stoker_model_wanted_replicas", ', tier="serving"'), "{{model}} wanted"),
                Query(_of("stoker_model_replicas", SERVING), "{{model}} serving"),
                Query(_of("stoker_model_replicas", ', state="warm"'), "{{model}} warm"),
                Query(_of("stoker_model_floor_replicas"), "{{model}} floor"),
                Query(_of("stoker_model_limit_replicas"), "{{model}} limit"),
            ),
            width=24,
        ),
        Panel(
            "Who asks for how many",
            (Query(_of("stoker_model_asked_replicas"), "{{model}} {{by}}"),),
            meaning="The highest line wins, within the limits.",
        ),
        Panel(
            "Decisions in ten minutes, by reason",
            (
                Query(
                    # Not increase(): a series that begins with its first decision would not show it.
                    "sum by (namespace, model, direction, reason)"
                    f" (clamp_min({_DECISIONS} - ({_DECISIONS} offset 10m or 0 * {_DECISIONS}), 0))",
                    "{{model}} {{direction}} {{reason}}",
                ),
            ),
        ),
        Panel(
            "What arrives, and what replicas carry",
            (
                Query(_of("stoker_model_arrivals_per_second"), "{{model}} arrives"),
                Query(
                    f"{_of('stoker_model_replica_capacity_per_second')} * on (namespace, model)"
                    f" {_of('stoker_model_replicas', SERVING)}",
                    "{{model}} is carried",
                ),
            ),
            "reqps",
        ),
        Panel(
            "Requests at once in a replica, inside the objective",
            (Query(_of("stoker_model_replica_concurrency"), "{{model}}"),),
        ),
        Panel(
            "How sure the capacity is",
            (Query(_of("stoker_model_capacity_confidence"), "{{model}}"),), "percentunit",
        ),
        Panel(
            "Requests that will wait when a new replica is ready",
            (
                Query(_of("stoker_model_projected_backlog_requests"), "{{model}} backlog"),
                Query(_of("stoker_model_waiting_requests"), "{{model}} waiting now"),
                Query(_of("stoker_model_in_flight_requests"), "{{model}} in flight"),
            ),
        ),
        Panel(
            "Whose load is known",
            (Query(_of("stoker_model_seen_replicas"), "{{model}} {{reading}}"),), stacked=True,
            meaning="While one is unknown, none is removed.",
        ),
        Panel(
            "What limits it",
            (Query(f"{_of('stoker_model_condition', LIMITED)} == 1", ""),),
            kind="table",
        ),
    ),
)  # fmt: skip
