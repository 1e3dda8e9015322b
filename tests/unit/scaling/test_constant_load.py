"""Under a constant load with the noise of independent arrivals, the number settles."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from stoker.core.scaling.tuning import DEFAULT
from tests.unit.scaling.toy_cluster import ToyCluster, reversals

HOUR = 3600.0
FULL_PER_SECOND = 7.33
"""Of 100 tokens each: 55 requests at once, 75 ms a token."""


# An hour is long to shrink: the drawn load is printed as it is.
@settings(max_examples=10, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(
    replicas=st.floats(0.2, 3.5),
    tokens=st.floats(40.0, 160.0),
    lead_seconds=st.sampled_from([30.0, 90.0]),
    seed=st.integers(0, 1000),
)
def test_a_constant_load_never_flaps(replicas: float, tokens: float, lead_seconds: float, seed: int) -> None:
    """`replicas` is the load, in replicas that are full."""
    cluster = ToyCluster(seed, count=2, lead_seconds=lead_seconds)
    rate_per_second = replicas * FULL_PER_SECOND * 100.0 / tokens
    cluster.run(1200, rate_per_second, tokens)
    settled = len(cluster.numbers)
    cluster.run(HOUR, rate_per_second, tokens)
    last_hour = cluster.numbers[settled:]
    assert reversals(last_hour) <= 3
    # Learning that a replica carries more may lower the number all the hour; noise may raise it now and then.
    assert sum(after > before for before, after in pairwise(last_hour)) <= 4
    assert last_hour[-1] <= 1.3 * replicas + 2


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_step_up_is_met_and_a_step_down_is_followed(seed: int) -> None:
    cluster = ToyCluster(seed, count=1)
    cluster.run(900, 2.0)
    assert cluster.numbers[-1] <= 2
    cluster.run(300, 20.0)
    assert 3 <= cluster.numbers[-1] <= 10
    cluster.run(1200, 2.0)
    assert cluster.numbers[-1] <= 2


def test_less_headroom_costs_fewer_replicas_and_more_costs_more() -> None:
    spent = []
    for headroom in (0.5, 0.95):
        cluster = ToyCluster(seed=4, count=3, tuning=replace(DEFAULT, headroom=headroom))
        cluster.run(HOUR, 12.0)
        spent.append(sum(cluster.numbers))
    assert spent[0] > spent[1]
