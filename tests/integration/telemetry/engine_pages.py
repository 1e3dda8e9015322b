"""Pages of engines that go on: what a page has counted is what its engine counts in a second."""

import re

from stoker_runtime.simulated.metrics import Metrics
from tests.unit.engines import pages

_COUNTER = re.compile(rb"^(\S+?_(?:total|sum|count|bucket)(?:\{.*\})?) (\S+)$", re.MULTILINE)


def _simulated() -> bytes:
    """A request with three tokens in its prompt and ten in its answer."""
    metrics = Metrics("llama", 32_768)
    metrics.first_token.observe(0.2)
    for _ in range(9):
        metrics.between_tokens.observe(0.02)
    metrics.generation_tokens, metrics.prompt_tokens = 10, 3
    gauges = {"vllm:num_requests_running": 3, "vllm:num_requests_waiting": 2, "vllm:kv_cache_usage_perc": 0.5}
    return metrics.text(gauges, 0, 0).encode()


PAGES = {"simulated": _simulated(), **pages.PAGES, "triton": pages.TRITON}


def after(seconds: int, page: bytes) -> bytes:
    return _COUNTER.sub(lambda found: b"%s %r" % (found[1], seconds * float(found[2])), page)
