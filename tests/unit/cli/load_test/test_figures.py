"""From what became of every request to the figures, the table and the page."""

import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.cli.load_test.course import Course, levels_in
from stoker.cli.load_test.measured import Answer, level, quantiles
from stoker.cli.load_test.report import as_json, drawing, page, text
from stoker.cli.openai.server import base_address
from stoker.cli.openai.streaming import Outcome

COURSE = Course(
    base="http://web.models.svc/v1",
    model="web",
    levels=(1, 10),
    prompt_tokens=256,
    output_tokens=128,
    requests=100,
    seconds=None,
    longest_seconds=120,
)
GOOD = Answer(Outcome.FINISHED, 1.1, 0.1, 1.1, output_tokens=11, prompt_tokens=260, events=11)


def test_the_gap_is_between_tokens_and_not_between_pieces() -> None:
    assert GOOD.gap_seconds == pytest.approx(0.1)
    assert replace(GOOD, events=3).gap_seconds == pytest.approx(0.1)
    assert replace(GOOD, output_tokens=1).gap_seconds is None


def test_a_level_is_what_its_finished_requests_show() -> None:
    measured = level(10, [GOOD, GOOD, Answer(Outcome.REFUSED, 0.01, detail="503 busy")], 2.0, [])
    assert (measured.finished, measured.sent, measured.errors) == (2, 3, {"refused": 1})
    assert measured.tokens_per_second == 11.0
    assert measured.requests_per_second == 1.0
    assert measured.details == {"503 busy": 1}


def test_a_level_in_which_nothing_finished_has_no_latency() -> None:
    measured = level(10, [Answer(Outcome.CUT, 0.01)], 2.0, [])
    assert measured.first_token_seconds.p50 is None
    assert "-" in text([measured]).splitlines()[1]


@given(st.lists(st.floats(0, 100), min_size=1))
def test_quantiles_are_values_that_were_measured_and_grow(values: list[float]) -> None:
    found = quantiles(values)
    assert found.p50 is not None
    assert found.p95 is not None
    assert found.p99 is not None
    assert {found.p50, found.p95, found.p99} <= set(values)
    assert found.p50 <= found.p95 <= found.p99


def test_quantiles_are_by_nearest_rank() -> None:
    found = quantiles([float(number) for number in range(1, 101)])
    assert (found.p50, found.p95, found.p99) == (50.0, 95.0, 99.0)


def test_the_table_is_one_line_a_level() -> None:
    lines = text([level(1, [GOOD] * 100, 10.0, []), level(10, [GOOD] * 100, 2.0, [])]).splitlines()
    assert " ".join(lines[0].split()) == (
        "AT ONCE DONE ERRORS REQUESTS/S TOKENS/S TTFT p50 p95 p99 ms ITL p50 p95 p99 ms"
    )
    assert lines[2].split() == ["10", "100", "0", "50.00", "550", *(["100.0"] * 6)]
    assert len(lines) == 3


def test_figures_that_need_care_say_so() -> None:
    said = text([level(1, [replace(GOOD, output_tokens=None)], 1.0, [0.2])])
    assert "p99 of fewer than 100 requests is their slowest one" in said
    assert "a piece of text counts as one" in said
    assert "This client itself was late by up to 200 ms" in said


class _Balanced(HTMLParser):
    """Knows which elements are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_no_other_file_and_trusts_no_server() -> None:
    hostile = Answer(Outcome.FAILED, 0.1, detail="<script>alert(1)</script>")
    written = page(replace(COURSE, model="<b>"), [level(1, [GOOD, hostile], 1.0, [])], "2026-11-21 08:00 UTC")
    assert "<script" not in written
    assert "http://" not in written.replace("http://www.w3.org/2000/svg", "").replace(COURSE.base, "")
    parser = _Balanced()
    parser.feed(written)
    assert parser.open == []


def test_the_drawing_has_a_panel_for_each_thing_that_grows() -> None:
    drawn = drawing(COURSE, [level(1, [GOOD], 1.0, []), level(10, [GOOD], 1.0, [])])
    assert drawn.count("requests at once") == 3


def test_the_json_holds_the_course_and_the_levels() -> None:
    answer = json.loads(json.dumps(as_json(COURSE, [level(1, [GOOD], 1.0, [])])))
    assert answer["course"]["model"] == "web"
    assert answer["levels"][0]["first_token_seconds"]["p50"] == pytest.approx(0.1)


def test_what_will_be_sent_is_said_with_its_end() -> None:
    said = "\n".join(COURSE.announcement())
    assert "http://web.models.svc/v1/chat/completions, as model web" in said
    assert "at most 200 requests, 25,600 output tokens" in said
    timed = "\n".join(replace(COURSE, requests=None, seconds=30.0).announcement())
    assert "at most 60 s of sending" in timed


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://web.models.svc", "http://web.models.svc/v1"),
        ("http://web.models.svc/v1/", "http://web.models.svc/v1"),
        ("https://gateway/openai/v1", "https://gateway/openai/v1"),
        ("http://[::1]:8000/v1/chat/completions", "http://[::1]:8000/v1"),
    ],
)
def test_the_address_may_be_written_as_people_write_it(given: str, meant: str) -> None:
    assert base_address(given) == meant


@pytest.mark.parametrize("given", ["web", "ftp://web", "http://", "http://a:b@web", "http://web:99999"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="address"):
        base_address(given)


def test_levels_are_numbers_with_commas_between() -> None:
    assert levels_in("1, 10,50") == (1, 10, 50)
    for wrong in ("", "0", "1,,2", "-1", "5000", "x", ",".join(["1"] * 21)):
        with pytest.raises(ValueError, match="write"):
            levels_in(wrong)
