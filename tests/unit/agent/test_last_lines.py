"""The last lines, and the message they end up in."""

import json

from hypothesis import given
from hypothesis import strategies as st

from stoker_runtime.agent.exit_codes import ExitCode
from stoker_runtime.agent.supervision.last_lines import LastLines
from stoker_runtime.agent.termination import MOST_BYTES, termination_message
from stoker_runtime.agent.verdict import Verdict


def test_lines_are_put_together_from_whatever_pieces_come() -> None:
    lines = LastLines()
    for piece in (b"on", b"e\ntwo\nth", b"", b"ree"):
        lines.add(1, piece)
    assert lines.within(10) == ["one", "two", "three"]


def test_two_streams_do_not_mix_within_a_line() -> None:
    lines = LastLines()
    lines.add(1, b"out ")
    lines.add(2, b"err\n")
    lines.add(1, b"put\n")
    assert lines.within(10) == ["err", "out put"]


def test_of_a_progress_bar_the_last_state_is_kept() -> None:
    lines = LastLines()
    for share in range(0, 101, 10):
        lines.add(2, b"\rLoading %3d%%" % share)
    lines.add(2, b"\nloaded\r\n")
    assert lines.within(10) == ["Loading 100%", "loaded"]


def test_memory_is_bounded_by_lines_and_by_their_length() -> None:
    lines = LastLines(most=3)
    lines.add(1, b"x" * 1_000_000)
    lines.add(1, b"\n" + b"1\n2\n3\n4\n")
    assert lines.within(10) == ["2", "3", "4"]


def test_what_was_written_long_ago_has_nothing_to_do_with_the_end() -> None:
    now = 0.0
    lines = LastLines(now=lambda: now)
    lines.add(1, b"CUDA out of memory\n")
    now = 1000.0
    lines.add(1, b"bye\n")
    assert lines.within(300) == ["bye"]


@given(st.text(max_size=5000), st.lists(st.text(max_size=3000), max_size=20))
def test_a_termination_message_is_json_and_fits_whatever_was_written(sentence: str, lines: list[str]) -> None:
    text = termination_message(Verdict(ExitCode.GPU_MEMORY, sentence), lines)
    assert len(text.encode()) <= MOST_BYTES
    assert json.loads(text)["reason"] == "GPUMemory"


def test_colours_of_a_terminal_are_left_out() -> None:
    text = termination_message(Verdict(ExitCode.ENGINE_CRASHED, "x"), ["\x1b[1;36m(EngineCore)\x1b[0m died"])
    assert json.loads(text)["lines"] == ["(EngineCore) died"]
