"""What a step costs."""

import pytest

from stoker_runtime.simulated.timing import PROFILES, StepCost


def test_a_step_costs_its_base_its_prompt_its_sequences_and_its_cache() -> None:
    cost = StepCost(0.01, 0.001, 0.0001, 0.00001)
    assert cost.seconds(prompt_tokens=5, decoding=4, cached_tokens=3) == pytest.approx(0.01 + 0.005 + 0.0004 + 0.00003)


@pytest.mark.parametrize("name", PROFILES)
def test_a_full_batch_is_slower_than_one_sequence_and_cheaper_for_each(name: str) -> None:
    cost = PROFILES[name].cost
    one, full = cost.seconds(0, 1, 1_000), cost.seconds(0, 256, 256_000)
    assert one < full < 256 * one


def test_the_newer_gpu_is_the_faster_one() -> None:
    steps = [PROFILES[name].cost.seconds(2048, 64, 64_000) for name in ("h100", "a100", "l40s")]
    assert steps == sorted(steps)
