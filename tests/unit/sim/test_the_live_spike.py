"""What `make bench-live` measures in real time reaches its targets in the simulator."""

from statistics import fmean

import pytest

from bench.live.__main__ import DOWN_DELAY_SECONDS, MOST_GPU_SECONDS, TARGETS, TOKENS
from bench.live.foretold import Circumstances, foretold
from bench.live.trace import spike
from stoker.sim.result import Result


def simulated(warm: int, seed: int, reading_seconds: float = 0.2) -> Result:
    told = Circumstances(
        warm,
        most=8,
        start_seconds=30.0,
        down_delay_seconds=DOWN_DELAY_SECONDS,
        seed=seed,
        reading_seconds=reading_seconds,
    )
    return foretold(spike(seed, TOKENS), told)


@pytest.mark.parametrize("warm", TARGETS)
def test_enough_requests_are_in_time_and_none_is_lost(warm: int) -> None:
    results = [simulated(warm, seed) for seed in range(101, 113)]
    assert fmean(100 * result.share for result in results) >= TARGETS[warm]
    assert all(result.cut == result.abandoned == result.unfinished == 0 for result in results)
    # A warm replica stands by for 330 s.
    assert fmean(3600 * result.gpu_hours for result in results) <= MOST_GPU_SECONDS + 330 * warm


def test_readings_that_are_seconds_old_cost_little() -> None:
    """They did: what had come since the last reading was taken for nothing, and too few replicas were ordered."""
    seeds = range(101, 107)
    late, prompt = (fmean(100 * simulated(0, seed, age).share for seed in seeds) for age in (3.0, 0.2))
    assert late >= prompt - 5.0
