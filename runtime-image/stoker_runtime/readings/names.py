"""What each engine calls what a reading holds: the name of today first, then those of older versions.

Checked against the sources of the versions that docs/engines.md lists. What is left out is left out on purpose:

- Ollama and `transformers serve` have no metrics.
- BentoML counts HTTP requests in progress, which is neither running nor queued; its page holds the names of an engine
  within it, most often vLLM.
- Triton's nv_inference_pending_request_count is 0 with the vLLM backend, whose queue is inside vLLM.
- TGI and llama.cpp have no time to first token.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Names:
    running: tuple[bytes, ...] = ()
    queued: tuple[bytes, ...] = ()
    kv_share: tuple[bytes, ...] = ()
    preemptions: tuple[bytes, ...] = ()
    prompt_tokens: tuple[bytes, ...] = ()
    output_tokens: tuple[bytes, ...] = ()
    ttft: tuple[bytes, ...] = ()  # histograms, without _bucket, _sum and _count
    itl: tuple[bytes, ...] = ()
    itl_means: tuple[bytes, ...] = ()  # histograms too, of means: one for each request or token, and not of each gap
    output_seconds: tuple[bytes, ...] = ()  # that output_tokens took, added up over requests
    kv_size: bytes = b""  # where a size of 0 means that the share is not known

    @property
    def any(self) -> bool:
        return any(astuple(self))


_VLLM = Names(
    running=(b"vllm:num_requests_running",),
    queued=(b"vllm:num_requests_waiting",),
    kv_share=(b"vllm:kv_cache_usage_perc", b"vllm:gpu_cache_usage_perc"),
    preemptions=(b"vllm:num_preemptions_total",),
    prompt_tokens=(b"vllm:prompt_tokens_total",),
    output_tokens=(b"vllm:generation_tokens_total",),
    ttft=(b"vllm:time_to_first_token_seconds",),
    itl=(b"vllm:inter_token_latency_seconds", b"vllm:time_per_output_token_seconds"),
)
_SGLANG = Names(
    running=(b"sglang:num_running_reqs",),
    queued=(b"sglang:num_queue_reqs",),
    kv_share=(b"sglang:token_usage",),
    # The gauge num_retracted_reqs of older versions is of one step only.
    preemptions=(b"sglang:num_retracted_requests_total",),
    prompt_tokens=(b"sglang:prompt_tokens_total",),
    output_tokens=(b"sglang:generation_tokens_total",),
    ttft=(b"sglang:time_to_first_token_seconds",),
    itl=(b"sglang:inter_token_latency_seconds",),
    itl_means=(b"sglang:time_per_output_token_seconds",),
)
_LLAMACPP = Names(
    running=(b"llamacpp:requests_processing",),
    queued=(b"llamacpp:requests_deferred",),
    kv_share=(b"llamacpp:kv_cache_usage_ratio",),  # until the middle of 2025
    prompt_tokens=(b"llamacpp:prompt_tokens_total",),  # without those that were cached
    output_tokens=(b"llamacpp:tokens_predicted_total",),
    output_seconds=(b"llamacpp:tokens_predicted_seconds_total",),
)
_TGI = Names(
    running=(b"tgi_batch_current_size",),
    queued=(b"tgi_queue_size",),
    prompt_tokens=(b"tgi_request_input_length_sum",),
    output_tokens=(b"tgi_request_generated_tokens_sum",),  # of requests that have ended
    itl_means=(b"tgi_request_mean_time_per_token_duration",),
)
_TENSORRT_LLM = Names(
    running=(b"trtllm_num_requests_running",),
    queued=(b"trtllm_num_requests_waiting",),
    kv_share=(b"trtllm_kv_cache_utilization",),
    prompt_tokens=(b"trtllm_prompt_tokens_total",),
    output_tokens=(b"trtllm_generation_tokens_total",),
    # Before 1.3 the names had no prefix.
    ttft=(b"trtllm_time_to_first_token_seconds", b"time_to_first_token_seconds"),
    itl_means=(b"trtllm_time_per_output_token_seconds", b"time_per_output_token_seconds"),
)
_TABBY = Names(
    running=(b"tabbyapi:requests_processing",),
    queued=(b"tabbyapi:requests_deferred",),
    kv_share=(b"tabbyapi:kv_cache_usage_ratio",),
    prompt_tokens=(b"tabbyapi:prompt_tokens_total",),  # without those that were cached
    output_tokens=(b"tabbyapi:tokens_predicted_total",),
    output_seconds=(b"tabbyapi:tokens_predicted_seconds_total",),
    kv_size=b"tabbyapi:kv_cache_max_tokens",
)

ENGINES: Mapping[str, Names] = MappingProxyType(
    {
        "vllm": _VLLM,
        "simulated": _VLLM,
        "triton": _VLLM,
        "bentoml": _VLLM,
        "sglang": _SGLANG,
        "llamacpp": _LLAMACPP,
        "tgi": _TGI,
        "tensorrt-llm": _TENSORRT_LLM,
        "exllamav2": _TABBY,
        "ollama": Names(),
        "transformers": Names(),
    }
)
WITHOUT_METRICS = frozenset(name for name, names in ENGINES.items() if not names.any)
_OF_PREFIX: Mapping[bytes, Names] = MappingProxyType(
    {
        b"vllm:": _VLLM,
        b"sglang:": _SGLANG,
        b"llamacpp:": _LLAMACPP,
        b"tgi_": _TGI,
        b"trtllm_": _TENSORRT_LLM,
        b"tabbyapi:": _TABBY,
    }
)


def names_on(text: bytes) -> Names | None:
    """A server that nobody described is most often one of these engines, in somebody's own image."""
    for prefix, names in _OF_PREFIX.items():
        if b"\n" + prefix in text or text.startswith(prefix):
            return names
    return None
