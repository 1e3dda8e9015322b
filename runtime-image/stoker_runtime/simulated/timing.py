"""What a step of a model server costs. Pure arithmetic, so that a simulator can share it.

    T = a + b·p + c·n + g·k

p prompt tokens computed in the step, n sequences that decode one token each, k tokens in the KV cache.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepCost:
    base_seconds: float
    per_prompt_token_seconds: float
    per_decoding_seconds: float
    per_cached_token_seconds: float

    def seconds(self, prompt_tokens: int, decoding: int, cached_tokens: int) -> float:
        return (
            self.base_seconds
            + self.per_prompt_token_seconds * prompt_tokens
            + self.per_decoding_seconds * decoding
            + self.per_cached_token_seconds * cached_tokens
        )


@dataclass(frozen=True)
class Replica:
    """How fast a replica is and how much it holds."""

    cost: StepCost
    kv_tokens: int
    max_sequences: int
    step_tokens: int  # of prompts and answers together, in one step


# An 8B model in BF16. Estimates until they are measured on such GPUs.
PROFILES = {
    "h100": Replica(StepCost(0.007, 30e-6, 30e-6, 5e-8), 400_000, 256, 8192),
    "a100": Replica(StepCost(0.010, 90e-6, 50e-6, 8e-8), 400_000, 256, 2048),
    "l40s": Replica(StepCost(0.021, 110e-6, 60e-6, 2e-7), 185_000, 256, 2048),
}
