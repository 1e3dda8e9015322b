"""A replica's model is found again in what a client measures of it."""

import json
from dataclasses import replace
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.cli.calibrate.endpoint import kv_tokens_of
from stoker.cli.calibrate.measuring import Plan, measured
from stoker.cli.calibrate.steps import mean_step, most_at_once, step_of
from stoker.cli.openai.streaming import Outcome, Streamed
from stoker.sim.calibration import Alone, CalibrationError, Limits, Together, calibrated, least_squares
from stoker.sim.profile import ProfileError, from_json, to_json
from stoker_runtime.simulated.timing import Replica, StepCost
from tests.unit.simulated_engine.served import Served

LIMITS = Limits(kv_tokens=60_000, max_sequences=32, step_tokens=1_000)


def seen_of(cost: StepCost, on_the_way_seconds: float = 0.0) -> tuple[list[Alone], list[Together]]:
    """What a client sees without any noise."""
    alone = []
    for prompt in (16, 200, 900, 2_500):
        steps = ceil(prompt / LIMITS.step_tokens)
        computed = cost.per_prompt_token_seconds * prompt
        each = cost.base_seconds + cost.per_cached_token_seconds * prompt
        alone.append(Alone(prompt, on_the_way_seconds + steps * each + computed))
    together = [
        Together(streams, streams * context, cost.seconds(prompts, streams, streams * context), prompts)
        for streams, prompts in ((1, 0), (4, 0), (4, 70), (16, 0), (16, 300), (32, 0))
        for context in (40, 1_200)
    ]
    return alone, together


@given(
    base=st.floats(1e-3, 0.1),
    prompt=st.floats(1e-6, 1e-3),
    sequence=st.floats(1e-6, 1e-2),
    cached=st.floats(1e-9, 1e-5),
    way=st.floats(0.0, 0.05),
)
def test_what_was_measured_without_noise_is_found_again(
    base: float, prompt: float, sequence: float, cached: float, way: float
) -> None:
    cost = StepCost(base, prompt, sequence, cached)
    found = calibrated(*seen_of(cost, way), LIMITS)
    assert found.prefill_error < 1e-3
    assert found.decode_error < 1e-3
    alike = found.replica.cost.seconds(0, 10, 3_000), found.replica.cost.seconds(800, 3, 2_000)
    assert alike == pytest.approx((cost.seconds(0, 10, 3_000), cost.seconds(800, 3, 2_000)), rel=0.02)


@given(st.lists(st.floats(0.5, 2.0), min_size=16, max_size=16))
def test_no_part_is_ever_negative(noise: list[float]) -> None:
    alone, together = seen_of(StepCost(0.02, 1e-4, 5e-4, 2e-7))
    alone = [Alone(one.prompt_tokens, one.first_token_seconds * by) for one, by in zip(alone, noise, strict=False)]
    together = [replace(one, step_seconds=one.step_seconds * by) for one, by in zip(together, noise[4:], strict=True)]
    found = calibrated(alone, together, LIMITS)
    cost = found.replica.cost
    parts = (cost.base_seconds, cost.per_prompt_token_seconds, cost.per_decoding_seconds, cost.per_cached_token_seconds)
    assert min(*parts, found.on_the_way_seconds) >= 0.0


def test_a_part_that_would_be_negative_is_left_out() -> None:
    assert least_squares([(1.0, 1.0), (1.0, 2.0)], [2.0, 1.0]) == pytest.approx([1.5, 0.0])


def test_one_number_of_streams_does_not_tell_a_sequence_from_a_step() -> None:
    alone, together = seen_of(StepCost(0.02, 1e-4, 5e-4, 2e-7))
    with pytest.raises(CalibrationError, match="two numbers of streams"):
        calibrated(alone, [one for one in together if one.streams == 4], LIMITS)


def streamed(moments: tuple[float, ...], prompt_tokens: int, output_tokens: int) -> Streamed:
    return Streamed(Outcome.FINISHED, 0.0, moments[-1], moments, prompt_tokens, output_tokens)


def test_a_step_is_timed_only_while_all_streams_decode() -> None:
    early = streamed(tuple(0.1 * i for i in range(1, 31)), 50, 30)
    late = streamed(tuple(1.0 + 0.2 * i for i in range(1, 11)), 50, 10)
    step = step_of([early, late])
    assert step is not None
    assert step.streams == 2
    assert step.step_seconds == pytest.approx(2 / (1 / 0.1 + 1 / 0.2), rel=0.01)
    assert step.cached_tokens == pytest.approx(100 + 11 + 9.5 + 5, abs=1.5)


def test_streams_that_hardly_overlap_time_no_step() -> None:
    first = streamed((1.0, 2.0, 3.0), 10, 3)
    assert step_of([first, streamed((2.5, 3.5, 4.5), 10, 3)]) is None


def test_a_step_among_which_prompts_come_is_told_with_them() -> None:
    """Steps of 0.1 s; the prompt of 90 tokens makes the one that computes it three times as long."""
    before = [round(0.1 * i, 1) for i in range(1, 11)]
    long = streamed((*before, *(round(1.3 + 0.1 * i, 1) for i in range(10))), 30, 20)
    newcomer = streamed(tuple(round(1.3 + 0.1 * i, 1) for i in range(6)), 90, 6)
    step = mean_step([long, newcomer])
    assert step is not None
    steps = 19 + 5
    assert step.step_seconds == pytest.approx((2.1 + 0.5) / steps)
    assert step.streams == pytest.approx((19 + 5 + 5 + 5) / steps)
    assert step.prompt_tokens == pytest.approx(90 / steps)
    held = sum(range(31, 50)) + sum(range(91, 96)) + sum(range(41, 46)) + sum(range(91, 96)) + 90
    assert step.cached_tokens == pytest.approx(held / steps)


def test_streams_of_one_token_time_no_step() -> None:
    assert mean_step([streamed((1.0,), 10, 1), streamed((2.0,), 10, 1)]) is None


def test_those_that_queue_do_not_run_at_once() -> None:
    one = streamed((1.0, 2.0), 10, 2)
    assert most_at_once([one, one, streamed((2.1, 3.0), 10, 2)]) == 2


def test_vllms_metrics_say_how_many_tokens_its_cache_holds() -> None:
    line = 'vllm:cache_config_info{block_size="16",cache_dtype="auto",num_gpu_blocks="1000"} 1.0\n'
    assert kv_tokens_of("# HELP x\n" + line) == 16_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        'vllm:cache_config_info{block_size="16"} 1.0',
        'vllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1',
    ],
)
def test_metrics_that_do_not_say_it_leave_it_unknown(text: str) -> None:
    assert kv_tokens_of(text) is None


def test_a_profile_is_read_as_it_was_written() -> None:
    replica = Replica(StepCost(0.02, 1.1e-4, 6e-5, 2e-7), 185_000, 256, 2_048)
    assert from_json(to_json("mine", replica, {"rounds": 3})) == ("mine", replica)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_seconds": -1}, "base_seconds: must be a number of 0 or more, found -1"),
        ({"kv_tokens": 0}, "kv_tokens: must be a whole number above 0, found 0"),
        ({"max_sequences": 4_096}, "step_tokens: must be at least max_sequences, 4096"),
        ({"base_seconds": 0, "per_decoding_seconds": 0}, "a step that costs no time"),
        ({"per_prompt_token_seconds": float("nan")}, "per_prompt_token_seconds: must be a number"),
    ],
)
def test_a_profile_that_cannot_be_used_says_what_to_write(change: dict[str, object], sentence: str) -> None:
    good = json.loads(to_json("mine", Replica(StepCost(0.02, 1.1e-4, 6e-5, 2e-7), 185_000, 256, 2_048), {}))
    with pytest.raises(ProfileError, match=sentence):
        from_json(json.dumps(good | change))


def test_a_profile_that_is_no_json_says_so() -> None:
    with pytest.raises(ProfileError, match="is no JSON"):
        from_json("base_seconds = 1")


async def test_a_simulated_engine_of_known_speed_is_measured() -> None:
    """In real time on a machine that does other things as well, which can only make it look slower."""
    true = Replica(StepCost(0.05, 3e-4, 3e-3, 6e-6), 60_000, 12, 2_048)
    async with Served(replica=true) as engine:
        plan = Plan((32, 400, 1_200), most_streams=16, answer_tokens=12, seconds=1.0)
        found = await measured(f"http://127.0.0.1:{engine.port}/v1", None, plan)
    assert found.queued
    limits = found.limits(60_000, 2_048)
    assert limits.max_sequences == 12
    fitted = calibrated(found.alone, found.together, limits).replica.cost
    for point in ((0, 1, 100), (0, 8, 4_000), (0, 12, 8_000), (1_000, 0, 1_000)):
        assert 0.9 < fitted.seconds(*point) / true.cost.seconds(*point) < 1.3, point
