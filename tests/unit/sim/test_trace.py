"""Traces from files."""

import pytest

from stoker.sim.trace import Trace, TraceError, trace_from_csv

HEAD = "arrival_s,prompt_tokens,output_tokens\n"


def read(text: str) -> Trace:
    return trace_from_csv("t.csv", text.splitlines(keepends=True))


def test_requests_are_put_in_the_order_of_time() -> None:
    trace = read(HEAD + "2.5,10,20\n1,30,40\n")
    assert (trace.arrivals, trace.prompts, trace.outputs) == ((1.0, 2.5), (30, 10), (40, 20))
    assert trace.duration_seconds == 2.5


def test_columns_may_stand_in_any_order_and_others_are_left_alone() -> None:
    assert read("id,output_tokens,arrival_s,prompt_tokens\nx,3,1,2\n").prompts == (2,)


def test_a_prefix_column_makes_requests_share_their_beginning() -> None:
    trace = read("arrival_s,prompt_tokens,output_tokens,prefix\n1,10,1,7\n2,10,1,\n")
    assert trace.prefixes == (7, -1)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("-1,10,20", "line 2: arrival_s must be 0 or more seconds, found '-1'"),
        ("nan,10,20", "line 2: arrival_s must be 0 or more seconds, found 'nan'"),
        ("1764000000,10,20", "line 2: arrival_s counts seconds from the start of the trace, found '1764000000'"),
        ("1,0,20", "line 2: prompt_tokens must be at least 1, found '0'"),
        ("1,10,-2", "line 2: output_tokens must be at least 0, found '-2'"),
        ("1,ten,20", "line 2: prompt_tokens must be a number, found 'ten'"),
        ("1,10", "line 2: output_tokens must be a number, found None"),
        ("1,inf,20", "line 2: prompt_tokens must be at least 1, found 'inf'"),
    ],
)
def test_a_wrong_line_is_named_with_what_was_found(line: str, sentence: str) -> None:
    with pytest.raises(TraceError, match=sentence):
        read(HEAD + line + "\n")


def test_a_file_without_the_columns_or_without_a_request_is_refused() -> None:
    with pytest.raises(
        TraceError, match="the first line must name arrival_s, prompt_tokens, output_tokens; found a, b"
    ):
        read("a,b\n1,2\n")
    with pytest.raises(TraceError, match="found nothing"):
        read("")
    with pytest.raises(TraceError, match="holds no request"):
        read(HEAD)


def test_many_wrong_lines_are_not_all_told() -> None:
    with pytest.raises(TraceError) as caught:
        read(HEAD + "x,1,1\n" * 100)
    assert len(caught.value.problems) == 5
