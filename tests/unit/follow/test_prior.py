"""What is believed of a replica before anybody measured it."""

from dataclasses import replace

import pytest

from stoker.api.v1alpha1.status import ModelFacts, Status, WeightsStatus
from stoker.core.follow.prior import Shape, prior_of, shape_of
from stoker.core.scaling.decide import demand
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Aims, Limits, Observation, Prior
from stoker.sim.capacity import GPUS, capacity
from tests.unit.follow.builders import load, replica
from tests.unit.plan.builders import deployment

LLAMA_8B = Shape(
    parameters=8_030_261_248,
    active_parameters=8_030_261_248,
    weight_bytes=16_060_556_376,
    kv_bytes_per_token=131_072,
    context_tokens=131_072,
    full_context_requests=1,
    most_at_once=256,
    tensor_parallel=1,
    gpus=1,
    gpu_memory_percent=90,
)
FACTS = ModelFacts(parameters=8_030_261_248, kv_bytes_per_token=131_072, full_context_concurrency=3)
H100, L40S, L4 = "NVIDIA-H100-80GB-HBM3", "NVIDIA-L40S", "NVIDIA-L4"


def guess(*products: str, shape: Shape = LLAMA_8B) -> tuple[float, float]:
    found = prior_of(shape, None, products, Aims())
    assert found.n_star is not None
    assert found.rate_per_second is not None
    return found.n_star, found.rate_per_second


@pytest.mark.parametrize(
    ("product", "profile"), [(H100, "h100-8b"), ("NVIDIA-A100-SXM4-80GB", "a100-8b"), (L40S, "l40s-8b")]
)
def test_the_data_sheet_comes_close_to_the_profiles_that_are_simulated(product: str, profile: str) -> None:
    simulated = capacity(GPUS[profile], 1150, 210, Aims().itl_seconds)
    n_star, rate = guess(product)
    assert n_star == pytest.approx(simulated.concurrency, rel=0.25)
    assert rate == pytest.approx(simulated.rate_per_second, rel=0.25)


def test_of_several_products_the_slowest_counts() -> None:
    assert guess(H100, L4) == guess(L4)


def test_a_product_that_nobody_listed_makes_the_rate_unknown() -> None:
    assert prior_of(LLAMA_8B, 16, (H100, "Acme-9000"), Aims()) == Prior(max_concurrency=16)
    assert prior_of(LLAMA_8B, None, (), Aims()) == Prior()


def test_a_model_over_more_gpus_is_faster_and_a_longer_answer_of_the_objective_carries_more() -> None:
    spread = replace(LLAMA_8B, tensor_parallel=2, gpus=2)
    assert guess(L40S, shape=spread)[1] > guess(L40S)[1]
    assert prior_of(LLAMA_8B, None, (L40S,), Aims(itl_seconds=0.2)).n_star > guess(L40S)[0]  # type: ignore[operator]


def test_what_the_engine_takes_at_once_bounds_it() -> None:
    assert guess(H100, shape=replace(LLAMA_8B, most_at_once=8))[0] == 8.0


def test_before_the_weights_are_inspected_and_of_an_engine_that_does_not_batch_nothing_is_guessed() -> None:
    inspected = Status(model=FACTS, weights=WeightsStatus(total_bytes=16_060_556_376))
    assert shape_of(deployment(engine={"name": "vllm"})) is None
    assert shape_of(deployment(engine={"name": "llamacpp"}, status=inspected)) is None
    shape = shape_of(deployment(engine={"name": "vllm"}, status=inspected))
    assert shape
    assert (shape.weight_bytes, shape.full_context_requests) == (16_060_556_376, 3)


def test_few_requests_of_full_length_do_not_bound_how_many_ordinary_ones_run_at_once() -> None:
    assert guess(H100, shape=replace(LLAMA_8B, full_context_requests=1))[0] > 100


def asked_for(prior: Prior, seconds: int = 20, rate: float = 12.0) -> int:
    """Replicas that a fresh model wants, whose only one is overrun from its first second."""
    memory, wanted = Memory.empty(), 0
    for second in range(0, seconds + 1, 2):
        arrived = int(rate * second)
        finished = min(arrived, int(2.0 * second))
        held = arrived - finished
        said = load(
            at_seconds=float(second),
            in_flight=held,
            waiting=max(0, held - 60),
            queued=max(0, held - 60),
            arrivals=arrived,
            finished=finished,
        )
        observation = Observation(float(second), (replica(load=said),), Limits(1, 8), Aims(), prior)
        found, memory = demand(observation, memory)
        wanted = found.serving
    return wanted


def test_a_fresh_model_under_load_orders_what_it_needs_at_once_and_not_one_replica_a_lead_time() -> None:
    assert asked_for(Prior()) <= 2
    assert asked_for(prior_of(LLAMA_8B, None, (L40S,), Aims())) >= 4
