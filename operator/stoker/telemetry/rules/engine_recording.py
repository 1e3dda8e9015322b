"""The same measures by the engines' own account, for models without agents and for a second opinion of the others.

    page(m)   = sum of rate(m₁) or rate(m₂) or …   over the series of one page: engines, ranks; m₁, m₂ are names of m
    pod(m)    = max of page(m)                     over the jobs that scrape this page, so that it counts once
    model(m)  = sum of pod(m)                      over the replicas that stoker_replica_info knows

The model's name comes from stoker_replica_info, not from a label of the scrape: whoever scrapes the engine, and however
it labels them, replicas are found, and other servers with the same names on their pages are left out.
"""

from stoker.telemetry.rules.engine_series import of_every_engine
from stoker.telemetry.rules.recorded import WINDOW, Recording, quantiles

_REPLICAS = "group by (namespace, pod, model) (stoker_replica_info)"


def _of_models(series: tuple[str, ...], more: str = "") -> str:
    """`more`: labels of the series that are kept."""
    rates = " or ".join(f"rate({name}[{WINDOW}])" for name in series)
    pages = f"sum by (namespace, pod, job, instance{more}) ({rates})"
    pods = f"max by (namespace, pod{more}) ({pages})"
    return f"sum by (namespace, model{more}) ({pods} * on (namespace, pod) group_left (model) {_REPLICAS})"


_ASKED = of_every_engine()
_BY_ITSELF = "by the engine's own account"
ENGINE_RECORDINGS = (
    *quantiles(
        _of_models(_ASKED.ttft_buckets, ", le"), "engine_ttft_seconds", f"Seconds to the first token, {_BY_ITSELF}"
    ),
    *quantiles(_of_models(_ASKED.itl_buckets, ", le"), "engine_itl_seconds", f"Seconds between tokens, {_BY_ITSELF}"),
    Recording(
        "stoker:engine_itl_seconds:mean",
        f"{_of_models(_ASKED.itl_sums)} / ({_of_models(_ASKED.itl_counts)} > 0)",
        f"Seconds between tokens, {_BY_ITSELF}, mean.",
    ),
    Recording(
        "stoker:engine_output_tokens:rate",
        _of_models(_ASKED.output_tokens),
        f"Tokens of answers per second, {_BY_ITSELF}.",
    ),
    Recording(
        "stoker:engine_prompt_tokens:rate",
        _of_models(_ASKED.prompt_tokens),
        f"Tokens of prompts per second, {_BY_ITSELF}.",
    ),
)
