"""Whatever is wrong with a page, a value is right or None: never 0 for what is not known, and never an exception."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.readings import Reading, read
from stoker_runtime.readings.names import ENGINES
from tests.unit.engines import pages

_RUNNING = b'vllm:num_requests_running{engine="0",model_name="llama-8b"} '
engines = st.sampled_from(sorted(pages.PAGES))


@pytest.mark.parametrize(
    "value",
    [b"NaN", b"+Inf", b"-1.0", b"", b"three", b"3.0.0", b"1e999", b"3_0", b"0x3", b"3,0", b"3.0 4.0 5.0", b"--3"],
)
def test_a_value_that_is_no_count_is_not_known(value: bytes) -> None:
    page = pages.VLLM.replace(_RUNNING + b"3.0", _RUNNING + value)
    reading = read("vllm", page)
    assert reading.running is None
    assert reading.queued == 5


@pytest.mark.parametrize(
    "value", [b"3", b"3.0", b"+3", b"3e0", b"3.0 1763700000000", b'3.0 # {trace_id="7"} 1.0', b"3.0\r"]
)
def test_a_count_may_be_written_in_every_way_of_the_format(value: bytes) -> None:
    assert read("vllm", pages.VLLM.replace(_RUNNING + b"3.0", _RUNNING + value)).running == 3


def test_one_bad_value_among_several_spoils_their_sum() -> None:
    page = pages.VLLM + b'vllm:num_requests_running{engine="1",model_name="llama-8b"} NaN\n'
    assert read("vllm", page).running is None


def test_a_share_above_1_is_not_known() -> None:
    assert read("vllm", pages.VLLM.replace(b" 0.25", b" 25.0")).kv_share is None


@pytest.mark.parametrize("label", [b'a"} 9', b"a{b", b"a\\", b"\xff\xfe", b"a\n"])
def test_labels_may_hold_anything(label: bytes) -> None:
    escaped = label.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    assert read("vllm", pages.VLLM.replace(b"llama-8b", escaped)) == read("vllm", pages.VLLM)


def test_a_name_in_a_label_or_a_comment_is_no_sample() -> None:
    page = b'# vllm:num_requests_running 9\nother{a="vllm:num_requests_running 9"} 1\n vllm:num_requests_running 9\n'
    assert read("vllm", page).running is None


def test_a_count_without_its_sum_is_of_no_use() -> None:
    page = pages.VLLM.replace(b"vllm:time_to_first_token_seconds_sum", b"vllm:time_to_first_token_seconds_mus")
    reading = read("vllm", page)
    assert (reading.ttft_count, reading.ttft_sum_seconds) == (None, None)


def test_a_page_that_ends_between_two_engines_of_it_is_not_taken_for_one() -> None:
    second = _RUNNING.replace(b'"0"', b'"1"')
    for length in range(1, len(second) + 3):
        page = _RUNNING + b"3.0\n" + (second + b"4.0\n")[:length]
        assert read("vllm", page).running is None
    assert read("vllm", _RUNNING + b"3.0\n" + second + b"4.0\n").running == 7


@given(engines, st.data())
def test_a_page_that_was_cut_off_says_the_same_or_nothing(engine: str, data: st.DataObject) -> None:
    page = pages.PAGES[engine]
    whole = read(engine, page)
    cut = read(engine, page[: data.draw(st.integers(0, len(page)))])
    for field in fields(Reading):
        assert getattr(cut, field.name) in (None, getattr(whole, field.name))


@given(engines, st.data())
def test_a_page_without_one_of_its_lines_says_the_same_of_the_rest(engine: str, data: st.DataObject) -> None:
    lines = pages.PAGES[engine].splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    whole, rest = read(engine, pages.PAGES[engine]), read(engine, b"".join(lines))
    for field in fields(Reading):
        assert getattr(rest, field.name) in (None, getattr(whole, field.name))


@given(st.sampled_from(sorted([*ENGINES, "custom"])), st.binary(max_size=300))
def test_no_bytes_raise(engine: str, noise: bytes) -> None:
    read(engine, noise)


@given(engines, st.binary(min_size=1, max_size=8), st.data())
def test_noise_within_a_page_raises_nothing(engine: str, noise: bytes, data: st.DataObject) -> None:
    page = pages.PAGES[engine]
    at = data.draw(st.integers(0, len(page)))
    reading = read(engine, page[:at] + noise + page[at + len(noise) :])
    for field in fields(Reading):
        value = getattr(reading, field.name)
        assert value is None or value >= 0
