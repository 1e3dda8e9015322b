"""What is counted of an answer as it passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.agent.pipe.progress import Progress, usage_in
from stoker_runtime.agent.tally import Outcome, Tally, Usage
from tests.unit.agent_pipe.raw_engine import chunks_of
from tests.unit.agent_pipe.test_bodies import cut

EVENTS = (
    b'data: {"a":"\\ndata: not one"}\n\n'
    b": a comment\n\n"
    b'event: x\ndata: {"b":1}\n\n'
    b'data:{"usage":{"prompt_tokens":7,"completion_tokens":2}}\r\n\r\n'
    b"data: [DONE]\n\n"
)


def passed(pieces: list[bytes], content_type: bytes, step_seconds: float = 1.0, status: int = 200) -> Tally:
    tally = Tally()
    progress = Progress(tally, 100.0)
    progress.head(status, content_type)
    for number, piece in enumerate(pieces, 1):
        if piece:
            progress.content(b"<" + piece + b">", [(1, len(piece) + 1)], 100.0 + number * step_seconds)
    progress.end(Outcome.FINISHED)
    return tally


@given(st.lists(st.integers(0, 300), max_size=40))
def test_events_are_counted_however_they_are_cut(places: list[int]) -> None:
    tally = passed(cut(EVENTS, places), b"text/event-stream")
    # The mark of the end is told from an event where it comes in one piece, as engines send it.
    assert chunks_of(tally) in {3, 4}
    assert (tally.prompt_tokens, tally.output_tokens, tally.counted) == (7, 2, "usage")


def test_the_mark_of_the_end_is_no_event() -> None:
    assert chunks_of(passed([EVENTS], b"text/event-stream")) == 3


def test_lines_of_json_are_chunks_too() -> None:
    tally = passed([b'{"a":1}\n', b'{"b":2}\n{"prompt_eval_count":3,"eval_count":2}\n'], b"application/x-ndjson")
    assert (chunks_of(tally), tally.prompt_tokens, tally.output_tokens) == (3, 3, 2)


def test_an_answer_in_one_piece_is_one_chunk_however_it_comes() -> None:
    tally = passed([b'{"text":', b'"a"', b',"usage":{"completion_tokens": 5}}'], b"application/json")
    assert (chunks_of(tally), tally.output_tokens) == (1, 5)
    assert (tally.ttft.count, tally.ttft.sum_seconds, tally.itl.count) == (1, 1.0, 0)


def test_a_stream_that_does_not_say_what_it_used_is_counted_by_its_chunks() -> None:
    tally = passed([b"data: 1\n\n", b"data: 2\n\n"], b"text/event-stream")
    assert (tally.output_tokens, tally.prompt_tokens, tally.counted) == (2, None, "chunks")


def test_the_first_chunk_is_awaited_and_the_others_follow() -> None:
    pieces = [b": not yet\n\n", b"data: 1\n\n", b"data: 2\n\ndata: 3\n\n"]
    tally = passed(pieces, b"text/event-stream", 0.5)
    assert (tally.ttft.count, tally.ttft.sum_seconds) == (1, 1.0)
    assert (tally.itl.count, tally.itl.sum_seconds) == (2, 0.5)
    assert tally.last_progress_seconds == 101.5


def test_words_in_an_answer_are_not_taken_for_its_usage() -> None:
    text = b'{"text":"say \\"completion_tokens\\": 99","usage":{"prompt_tokens":1,"completion_tokens":2}}'
    assert usage_in(text) == Usage(1, 2)


@pytest.mark.parametrize(
    ("text", "usage"),
    [
        (b'"usage":{"prompt_tokens":4,"total_tokens":4}', Usage(4, None)),
        (b'"usage":{"input_tokens":3,"output_tokens":9,"output_tokens_details":{}}', Usage(3, 9)),
        (b'"tokens_predicted":8,"tokens_evaluated":6', Usage(6, 8)),
        (b'"completion_tokens":1}} "completion_tokens":2}}', Usage(None, 2)),
        (b'"completion_tokens":null', None),
        (b"", None),
    ],
)
def test_each_engine_has_its_words_for_usage(text: bytes, usage: Usage | None) -> None:
    assert usage_in(text) == usage


def test_usage_is_found_at_the_end_of_a_long_answer() -> None:
    body = b'{"text":"' + b"a" * 300_000 + b'","usage":{"prompt_tokens":1,"completion_tokens":2}}'
    assert passed([body[:100_000], body[100_000:-20], body[-20:]], b"application/json").output_tokens == 2


@pytest.mark.parametrize(("status", "outcome"), [(400, Outcome.REJECTED), (500, Outcome.ENGINE_FAILED)])
def test_an_error_is_no_output(status: int, outcome: Outcome) -> None:
    tally = passed([b'{"error":1}'], b"application/json", status=status)
    assert (tally.ended[outcome], chunks_of(tally), tally.ttft.count, tally.in_flight) == (1, 0, 0, 0)
