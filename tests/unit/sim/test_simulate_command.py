"""`stoker simulate`."""

import argparse
import json
from pathlib import Path

import pytest

from stoker.cli import simulate
from stoker.cli.input_error import InputError


@pytest.fixture
def trace_file(tmp_path: Path) -> str:
    lines = ["arrival_s,prompt_tokens,output_tokens", *(f"{second},500,100" for second in range(1, 600))]
    path = tmp_path / "trace.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    simulate.add_to(parser.add_subparsers())
    options = parser.parse_args(["simulate", *arguments])
    code: int = options.run(options)
    return code


def test_one_policy_prints_its_figures(trace_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--trace", trace_file, "--policy", "hpa", "--set", "target=20") == 0
    printed = capsys.readouterr().out
    assert "inside the objective    100.00 %" in printed
    assert "599 requests, 450 of them measured" in printed


def test_json_holds_every_figure_and_repeats(trace_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for _ in range(2):
        assert run("--trace", trace_file, "--policy", "kpa", "-o", "json", "--warm", "1") == 0
        printed.append(capsys.readouterr().out)
    figures = json.loads(printed[0])
    assert printed[0] == printed[1]
    assert figures["arrived"] == figures["finished"] == 599
    assert figures["gpu_hours_by_tier"]["warm"] > 0


def test_compare_runs_all_and_draws_them(trace_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plot = tmp_path / "plot.svg"
    assert run("--trace", trace_file, "--compare", "--plot", str(plot)) == 0
    printed = capsys.readouterr().out
    for name in ("stoker", "hpa", "keda", "kpa", "kubeai", "aibrix", "wva", "dynamo", "static", "clairvoyant"):
        assert name in printed
    drawn = plot.read_text(encoding="utf-8")
    assert drawn.startswith("<svg")
    assert drawn.count("<g ") == 11


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--policy", "hpb"), "no policy hpb: choose of"),
        (("--set", "target=x"), "--set target=x: must be a knob and a number"),
        (("--policy", "hpa", "--set", "goal=3"), "policy hpa has no knob goal"),
        (("--plot", "x.png"), "plots are SVG"),
        (("--compare", "--set", "target=3"), "--set: is for one policy"),
        (("--max", "2", "--warm", "2"), "leaves no replica to serve"),
        (("--max", "0"), "--max: must be at least 1"),
    ],
)
def test_what_cannot_be_used_is_answered_with_a_sentence(
    trace_file: str, arguments: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        run("--trace", trace_file, *arguments)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="No such file"):
        run("--trace", "/nowhere.csv")


def test_a_workload_that_is_not_known_is_answered_with_those_that_are() -> None:
    with pytest.raises(InputError, match="choose of steady, diurnal"):
        run("--workload", "rush")
