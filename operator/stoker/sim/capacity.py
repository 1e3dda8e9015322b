"""What one replica carries inside its objective, from the same arithmetic that it is simulated with.

With I prompt and O answer tokens a request, n requests in a replica, and step costs a, b_p, b_d, g:

    ctx  = I + O/2                            T(n) = a + c·n          c = b_p·I/O + b_d + g·ctx
    n*   = min((0.75·itl - a)/c, 0.85·KV/ctx, max_sequences)          rate(n) = n / (O·T(n))
"""

from dataclasses import dataclass

from stoker_runtime.simulated.timing import PROFILES, Replica

GPUS = {f"{name}-8b": profile for name, profile in PROFILES.items()}
_OF_OBJECTIVE = 0.75
_OF_CACHE = 0.85


@dataclass(frozen=True)
class Capacity:
    concurrency: float  # n*
    rate_per_second: float


def capacity(replica: Replica, prompt_tokens: float, output_tokens: float, itl_seconds: float) -> Capacity:
    context = prompt_tokens + output_tokens / 2
    cost = replica.cost
    each = (
        cost.per_prompt_token_seconds * prompt_tokens / output_tokens
        + cost.per_decoding_seconds
        + cost.per_cached_token_seconds * context
    )
    by_interval = (_OF_OBJECTIVE * itl_seconds - cost.base_seconds) / each
    by_cache = _OF_CACHE * replica.kv_tokens / context
    concurrency = max(1.0, min(by_interval, by_cache, float(replica.max_sequences)))
    return Capacity(concurrency, concurrency / (output_tokens * (cost.base_seconds + each * concurrency)))
