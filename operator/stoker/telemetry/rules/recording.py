"""What Prometheus computes ahead: the agents' metrics, summed over the replicas of a model, and the engines' own.

model_queue_wait   waiting / arrivals: how long those wait that an engine has queued, by Little's law
accelerators       device-seconds per second, which is devices
"""

from stoker.telemetry.rules.engine_recording import ENGINE_RECORDINGS
from stoker.telemetry.rules.recorded import WINDOW, Recording, measured, quantiles

_MODEL = "by (namespace, model)"


def _rate(metric: str, by: str = _MODEL) -> str:
    return f"sum {by} (rate({metric}[{WINDOW}]))"


def _quantiles(metric: str, name: str, what: str) -> tuple[Recording, ...]:
    return quantiles(_rate(f"{metric}_bucket", "by (namespace, model, le)"), name, what)


_COST = _rate("stoker_model_cost_total")
_OUT, _IN = measured("output_tokens:rate"), measured("prompt_tokens:rate")
RECORDINGS = (
    *ENGINE_RECORDINGS,
    *_quantiles("stoker_replica_ttft_seconds", "model_ttft_seconds", "Seconds to the first piece of an answer"),
    *_quantiles("stoker_replica_itl_seconds", "model_itl_seconds", "Seconds between two pieces of an answer"),
    Recording("stoker:model_arrivals:rate", _rate("stoker_replica_arrivals_total"), "Requests let in per second."),
    Recording(
        "stoker:model_requests:rate",
        _rate("stoker_replica_requests_total", "by (namespace, model, outcome)"),
        "Requests that ended per second, by how.",
    ),
    Recording(
        "stoker:model_output_tokens:rate", _rate("stoker_replica_output_tokens_total"), "Tokens of answers per second."
    ),
    Recording(
        "stoker:model_prompt_tokens:rate", _rate("stoker_replica_prompt_tokens_total"), "Tokens of prompts per second."
    ),
    Recording("stoker:model_in_flight:sum", f"sum {_MODEL} (stoker_replica_in_flight)", "Requests in flight."),
    Recording(
        "stoker:model_queue_wait_seconds",
        f"sum {_MODEL} (stoker_replica_engine_waiting) / sum {_MODEL} (rate(stoker_replica_arrivals_total[{WINDOW}]))",
        "How long requests wait in the engines' queues.",
    ),
    Recording(
        "stoker:tier_in_flight:sum",
        "sum by (namespace, model, tier) (stoker_replica_in_flight"
        " * on (namespace, pod) group_left (tier) stoker_replica_info)",
        "Requests in flight, by the tier that their replica is in now.",
    ),
    Recording(
        "stoker:model_accelerators:rate",
        _rate("stoker_model_accelerator_seconds_total", "by (namespace, model, state)"),
        "Devices held, by state.",
    ),
    Recording("stoker:model_cost:per_hour", f"3600 * {_COST}", "Cost per hour, at today's prices."),
    Recording(
        "stoker:model_cost:per_million_tokens",
        # Not every engine says how long prompts are.
        f"1e6 * {_COST} / ({_OUT} + ({_IN} or on (namespace, model) 0 * {_OUT}) > 0)",
        "Cost per million tokens, of prompts and answers together, as the agents count them, else as the engine does.",
    ),
)
