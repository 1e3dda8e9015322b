"""One sequence with the times that its metrics need and the receiver of its tokens."""

from dataclasses import dataclass, field
from typing import Protocol

from stoker_runtime.simulated.batching import Sequence
from stoker_runtime.simulated.metrics import Metrics


class Receiver(Protocol):
    def token(self, number: int) -> None:
        """A token is there, the first is number 1. The last is told by `ended` alone."""

    def ended(self, reason: str) -> None: ...


@dataclass(slots=True, eq=False)
class Generation(Sequence):
    receiver: Receiver = field(kw_only=True)
    reason: str = field(kw_only=True)  # why it ends where nothing ends it earlier
    arrived: float = 0.0
    admitted: float | None = None
    first_token: float = 0.0
    last_token: float = 0.0

    def record_token(self, now: float, metrics: Metrics) -> None:
        if self.generated <= 1:
            metrics.prompt_tokens += self.prompt_tokens
            self.first_token = now
            if self.generated:
                metrics.first_token.observe(now - self.arrived)
        else:
            metrics.between_tokens.observe(now - self.last_token)
        self.last_token = now
        if self.generated:
            metrics.generation_tokens += 1

    def record_end(self, now: float, reason: str, metrics: Metrics) -> None:
        metrics.finished[reason] += 1
        metrics.latency.observe(now - self.arrived)
        metrics.request_prompt_tokens.observe(self.prompt_tokens)
        metrics.request_generation_tokens.observe(self.generated)
        metrics.request_preemptions.observe(self.preemptions)
        if self.admitted is None:
            return
        metrics.queue.observe(self.admitted - self.arrived)
        metrics.inference.observe(now - self.admitted)
        if self.first_token:
            metrics.prefill.observe(self.first_token - self.admitted)
            metrics.decode.observe(now - self.first_token)
        if self.generated > 1:
            metrics.per_output_token.observe((self.last_token - self.first_token) / (self.generated - 1))
