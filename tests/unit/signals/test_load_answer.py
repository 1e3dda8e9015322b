"""An agent's answer is believed whole, or not at all."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.signals.load_answer import AgentAnswers, parsed
from stoker.signals.unreadable import UnreadableError
from tests.unit.signals.answers import USUAL, body, without


def test_every_figure_of_an_answer_is_in_the_load() -> None:
    load = parsed(body(), "pod", 7.0)
    assert (load.at_seconds, load.boot, load.asleep) == (7.0, "0badcafe", False)
    assert (load.in_flight, load.waiting, load.running, load.queued, load.kv_share) == (3, 1, 2, 1, 0.25)
    assert (load.arrivals, load.finished, load.failed, load.preemptions) == (100, 90, 1, 0)
    assert (load.prompt_tokens, load.output_tokens) == (5000, 2000)
    assert (load.ttft_count, load.ttft_sum_seconds, load.itl_count, load.itl_sum_seconds) == (99, 20.5, 1900, 38.25)


def test_what_the_engine_does_not_say_is_unknown_and_not_zero() -> None:
    load = parsed(body(running=None, queued=None, kv=None, preemptions=None, prompt_tokens=None), "pod", 0.0)
    assert (load.running, load.queued, load.kv_share, load.preemptions, load.prompt_tokens) == (None,) * 5


def test_a_key_that_a_later_version_adds_is_no_harm() -> None:
    assert parsed(body(something={"new": [1]}), "pod", 0.0).in_flight == 3


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"v": 2}, "its version v is 2, and this operator reads 1"),
        ({"v": True}, "its version v is True"),
        ({"boot": ""}, "boot is ''"),
        ({"boot": None}, "boot is missing"),
        ({"boot": "x" * 65}, "not the name of one start"),
        ({"in_flight": -1}, "in_flight is -1, not a count"),
        ({"in_flight": 1.5}, "in_flight is 1.5"),
        ({"in_flight": True}, "in_flight is True"),
        ({"in_flight": "3"}, "in_flight is '3'"),
        ({"waiting": None}, "waiting is missing"),
        ({"arrivals": 10**18}, "arrivals is 1000000000000000000"),
        ({"arrivals": 10**12}, "more than can have come since it started"),
        ({"kv": 1.5}, "kv is 1.5, not a share"),
        ({"kv": -0.1}, "kv is -0.1"),
        ({"ttft": [1]}, "ttft is [1], not a count and a sum"),
        ({"ttft": [1, -2.0]}, "ttft is -2.0, not a number of seconds"),
        ({"itl": "none"}, "itl is 'none'"),
        ({"asleep": 0}, "asleep is 0, neither true nor false"),
        ({"age_s": float("nan")}, "NaN in it, which is no number"),
        ({"kv": float("inf")}, "Infinity in it"),
        ({"pod": "other"}, "another pod answers at its address: 'other'"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_and_says_why(said: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        parsed(body(**said), "pod", 0.0)
    assert complaint in str(refused.value)


@pytest.mark.parametrize("name", [name for name in USUAL if name not in ("phase", "gate", "refused", "counted")])
def test_only_what_an_engine_may_not_say_may_be_missing(name: str) -> None:
    optional = {"running", "queued", "kv", "preemptions", "prompt_tokens", "engine_age_s"}
    if name == "engine_age_s":
        parsed(without(name), "pod", 0.0)
        return
    if name in optional:
        with pytest.raises(UnreadableError):
            parsed(without(name), "pod", 0.0)
        return
    with pytest.raises(UnreadableError, match="missing"):
        parsed(without(name), "pod", 0.0)


@pytest.mark.parametrize(
    "text",
    [b"", b"ok", b"[]", b"null", b'"x"', b"[" * 16_000, b'{"v":' + b"9" * 6000 + b"}", b"\xff\xfe{}", body()[:-9]],
)
def test_what_is_no_whole_object_is_refused(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        parsed(text, "pod", 0.0)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(repr).map(str.encode))
def test_no_bytes_raise_anything_else(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        parsed(text, "pod", 0.0)


@given(
    st.sampled_from(sorted(USUAL)),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.floats()),
)
def test_any_value_in_any_place_is_read_or_refused(name: str, value: Any) -> None:
    try:
        load = parsed(body(**{name: value}), "pod", 0.0)
    except UnreadableError:
        return
    assert load.in_flight >= 0
    assert load.arrivals >= 0
    assert load.kv_share is None or 0 <= load.kv_share <= 1


def test_an_answer_that_says_its_pod_is_of_that_pod() -> None:
    assert parsed(body(pod="pod"), "pod", 0.0).in_flight == 3


def test_counters_that_went_back_are_not_believed() -> None:
    answers = AgentAnswers("pod")
    answers.read(body(arrivals=100), 0.0)
    with pytest.raises(UnreadableError, match="arrivals went back though the agent did not start anew"):
        answers.read(body(arrivals=99), 2.0)
    assert answers.read(body(arrivals=101), 4.0).arrivals == 101


def test_counters_begin_again_with_a_new_boot() -> None:
    answers = AgentAnswers("pod")
    answers.read(body(), 0.0)
    load = answers.read(body(boot="deadbeef", arrivals=0, finished=0), 2.0)
    assert (load.boot, load.arrivals) == ("deadbeef", 0)


def test_one_answer_that_was_too_high_does_not_blind_for_ever() -> None:
    answers = AgentAnswers("pod")
    answers.read(body(arrivals=10_000_000), 0.0)
    with pytest.raises(UnreadableError):
        answers.read(body(arrivals=101), 2.0)
    assert answers.read(body(arrivals=102), 4.0).arrivals == 102


def test_answers_that_fall_each_time_are_never_believed() -> None:
    answers = AgentAnswers("pod")
    answers.read(body(arrivals=100), 0.0)
    for arrivals in (90, 80, 70):
        with pytest.raises(UnreadableError):
            answers.read(body(arrivals=arrivals), 2.0)


def test_a_sum_that_was_rounded_the_other_way_is_no_step_back() -> None:
    answers = AgentAnswers("pod")
    answers.read(body(ttft=[99, 20.5]), 0.0)
    assert answers.read(body(ttft=[99, 20.499]), 2.0).ttft_sum_seconds == 20.499


def test_an_engine_beside_the_agent_may_start_anew_alone() -> None:
    answers = AgentAnswers("pod")
    answers.read(body(preemptions=7), 0.0)
    assert answers.read(body(preemptions=0), 2.0).preemptions == 0
