"""When an engine that says it is healthy is taken for hung, and when not."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.agent.stall import BLIND_FACTOR, MOST_PROMPT_SECONDS, Counters, Observation, StallRule

STILL = Counters(prompt_tokens=10, output_tokens=20, kv_share=0.5, preemptions=0)
BUSY = Observation(0.0, in_flight=3, waiting=1, last_body_byte_seconds=-math.inf, counters=STILL)


def at(now: float, seen: Observation = BUSY) -> Observation:
    return replace(seen, now_seconds=now)


def test_nothing_that_moves_is_a_stall_when_the_limit_is_reached_and_not_before() -> None:
    rule = StallRule(120)
    assert [rule.is_stalled(at(now)) for now in (0, 60, 119, 120)] == [False, False, False, True]


def test_a_byte_of_an_answer_is_progress() -> None:
    rule = StallRule(120)
    rule.is_stalled(at(0))
    assert not rule.is_stalled(replace(at(130), last_body_byte_seconds=100))
    assert rule.is_stalled(replace(at(220), last_body_byte_seconds=100))


def test_the_engine_s_own_counters_are_progress_where_no_byte_flows() -> None:
    rule = StallRule(120)
    rule.is_stalled(at(0))
    assert not rule.is_stalled(replace(at(130), counters=replace(STILL, output_tokens=21)))
    assert not rule.is_stalled(replace(at(249), counters=replace(STILL, output_tokens=21)))


def test_arrivals_in_front_of_a_hung_engine_are_no_progress() -> None:
    rule = StallRule(120)
    assert [rule.is_stalled(replace(at(now), in_flight=now + 1, waiting=now + 1)) for now in range(121)][-1]


def test_time_without_a_request_does_not_count() -> None:
    rule = StallRule(120)
    rule.is_stalled(replace(at(0), in_flight=0, waiting=0))
    assert not rule.is_stalled(at(1000))
    assert rule.is_stalled(at(1120))


def test_metrics_that_stop_coming_are_no_progress() -> None:
    rule = StallRule(120)
    rule.is_stalled(at(0))
    assert rule.is_stalled(replace(at(120), counters=None))


def test_a_first_reading_proves_nothing() -> None:
    rule = StallRule(120)
    rule.is_stalled(replace(at(0), counters=None))
    assert not rule.is_stalled(at(125))
    assert rule.is_stalled(at(245))


def test_an_engine_without_counters_gets_more_time() -> None:
    rule = StallRule(120)
    blind = replace(BUSY, counters=Counters(kv_share=0.1))
    rule.is_stalled(at(0, blind))
    assert not rule.is_stalled(at(120 * BLIND_FACTOR - 1, blind))
    assert rule.is_stalled(at(120 * BLIND_FACTOR, blind))


def test_clients_that_do_not_take_their_answers_are_no_stall() -> None:
    rule = StallRule(120)
    slow = replace(BUSY, waiting=0, engine_is_idle=True)
    rule.is_stalled(at(0, slow))
    assert not rule.is_stalled(at(10_000, slow))


def test_long_prompts_get_more_time_and_not_without_end() -> None:
    rule = StallRule(120)
    rule.is_stalled(at(0))
    assert rule.limit_seconds(prompt_bytes=400_000) == 120 + 200
    assert rule.limit_seconds(prompt_bytes=10**9) == 120 + MOST_PROMPT_SECONDS
    assert not rule.is_stalled(replace(at(300), prompt_bytes=400_000))


def test_an_engine_that_was_restarted_begins_anew() -> None:
    rule = StallRule(120)
    rule.is_stalled(at(0))
    rule.forget()
    assert not rule.is_stalled(at(130))


@given(st.lists(st.tuples(st.floats(0.1, 100), st.booleans()), max_size=50))
def test_an_engine_that_moves_within_each_limit_is_never_stalled(steps: list[tuple[float, bool]]) -> None:
    rule = StallRule(100.5)
    now, tokens, byte = 0.0, 0, -math.inf
    for seconds, by_counter in steps:
        now += seconds
        if by_counter:
            tokens += 1
        else:
            byte = now
        seen = replace(at(now), counters=replace(STILL, output_tokens=tokens), last_body_byte_seconds=byte)
        assert not rule.is_stalled(seen)
