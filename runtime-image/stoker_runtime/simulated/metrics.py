"""The engine's metrics, by vLLM 0.31's names, labels and buckets, in Prometheus' text format."""

from bisect import bisect_left
from collections.abc import Mapping

_LATENCY = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680)
_FIRST_TOKEN = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560),
)
_BETWEEN_TOKENS = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75),
    *(1, 2.5, 5, 7.5, 10, 20, 40, 80),
)
_STEP_TOKENS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)
_PREEMPTIONS = (1, 2, 3, 4, 5, 10, 20)
FINISH_REASONS = ("stop", "length", "abort", "error", "repetition")


class Histogram:
    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: str) -> list[str]:
        lines = []
        total = 0
        for bound, count in zip((*map(float, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {float(total)}')
        return [*lines, f"{name}_sum{{{labels}}} {self._sum}", f"{name}_count{{{labels}}} {float(total)}"]


def _lengths(longest: int) -> tuple[float, ...]:
    """1, 2, 5, 10, 20, 50, ... up to the context length."""
    bounds = (digit * 10**power for power in range(12) for digit in (1, 2, 5))
    return tuple(bound for bound in bounds if bound <= longest)


class Metrics:
    def __init__(self, model: str, context_length: int) -> None:
        escaped = model.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        self._labels = f'engine="0",model_name="{escaped}"'
        self.prompt_tokens = 0
        self.generation_tokens = 0
        self.finished = dict.fromkeys(FINISH_REASONS, 0)
        lengths = _lengths(context_length)
        self.first_token = Histogram(_FIRST_TOKEN)
        self.between_tokens = Histogram(_BETWEEN_TOKENS)
        self.per_output_token = Histogram(_BETWEEN_TOKENS)
        self.latency = Histogram(_LATENCY)
        self.queue = Histogram(_LATENCY)
        self.inference = Histogram(_LATENCY)
        self.prefill = Histogram(_LATENCY)
        self.decode = Histogram(_LATENCY)
        self.request_prompt_tokens = Histogram(lengths)
        self.request_generation_tokens = Histogram(lengths)
        self.request_preemptions = Histogram(_PREEMPTIONS)
        self.step_tokens = Histogram(_STEP_TOKENS)
        self._histograms = {
            "vllm:time_to_first_token_seconds": self.first_token,
            "vllm:inter_token_latency_seconds": self.between_tokens,
            "vllm:request_time_per_output_token_seconds": self.per_output_token,
            "vllm:e2e_request_latency_seconds": self.latency,
            "vllm:request_queue_time_seconds": self.queue,
            "vllm:request_inference_time_seconds": self.inference,
            "vllm:request_prefill_time_seconds": self.prefill,
            "vllm:request_decode_time_seconds": self.decode,
            "vllm:request_prompt_tokens": self.request_prompt_tokens,
            "vllm:request_generation_tokens": self.request_generation_tokens,
            "vllm:request_num_preemptions": self.request_preemptions,
            "vllm:iteration_tokens_total": self.step_tokens,
        }

    def text(self, gauges: Mapping[str, float], sleep_level: int, preemptions: int) -> str:
        lines: list[str] = []
        for name, value in gauges.items():
            lines += self._family(name, "gauge", {"": value})
        waiting = gauges["vllm:num_requests_waiting"]
        reasons = {',reason="capacity"': waiting, ',reason="deferred"': 0}
        lines += self._family("vllm:num_requests_waiting_by_reason", "gauge", reasons)
        states = {"awake": sleep_level == 0, "weights_offloaded": sleep_level == 1, "discard_all": sleep_level == 2}
        sleep = {f',sleep_state="{state}"': float(on) for state, on in states.items()}
        lines += self._family("vllm:engine_sleep_state", "gauge", sleep)
        lines += self._family("vllm:num_preemptions_total", "counter", {"": preemptions})
        lines += self._family("vllm:prompt_tokens_total", "counter", {"": self.prompt_tokens})
        lines += self._family("vllm:generation_tokens_total", "counter", {"": self.generation_tokens})
        finished = {f',finished_reason="{reason}"': count for reason, count in self.finished.items()}
        lines += self._family("vllm:request_success_total", "counter", finished)
        for name, histogram in self._histograms.items():
            lines += [f"# TYPE {name} histogram", *histogram.lines(name, self._labels)]
        return "\n".join(lines) + "\n"

    def _family(self, name: str, kind: str, samples: Mapping[str, float]) -> list[str]:
        values = [f"{name}{{{self._labels}{extra}}} {float(value)}" for extra, value in samples.items()]
        return [f"# TYPE {name} {kind}", *values]
