"""The command line as a whole: quick to start, one clear block of errors, exit codes that a script can rely on."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from stoker.api.configuration import Configuration
from stoker.cli.__main__ import COMMANDS, main


@pytest.fixture(autouse=True)
def no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOKER_CONFIG", raising=False)


def test_help_loads_nothing_that_is_slow_or_needless() -> None:
    program = """
import sys
from stoker.cli.__main__ import main
try:
    main(["--help"])
except SystemExit as done:
    assert done.code == 0
slow = {"kopf", "kubernetes", "aiohttp", "pydantic", "yaml", "asyncio"}
for_other_answers = {"stoker.cli.completion_scripts", "difflib"}
needless = (slow | for_other_answers) & set(sys.modules)
sys.exit(f"--help imports {needless}" if needless else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "exit codes" in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__.rpartition(".")[2])
def test_every_command_is_named_like_its_module_and_explains_itself(
    command: object, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main([command.__name__.rpartition(".")[2].replace("_", "-"), "--help"])  # type: ignore[attr-defined]
    assert done.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ")


def test_a_command_that_does_not_exist_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["confg"])
    assert done.value.code == 2
    assert capsys.readouterr().err == "stoker: there is no command confg: did you mean config?\n"
    with pytest.raises(SystemExit):
        main(["xyz"])
    assert capsys.readouterr().err.endswith("`stoker --help` lists those that there are\n")


def test_without_a_command_it_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main([])
    assert done.value.code == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "show every model on one screen" in streams.err


@pytest.mark.parametrize("arguments", [["status", "a", "b"], ["freeze", "now"], ["operator", "--nope"]])
def test_what_a_command_does_not_know_it_answers_with_its_own_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"usage: stoker {arguments[0]} ")
    assert f"unrecognized arguments: {arguments[-1]}" in said


def test_version_names_the_program_and_its_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out == f"stoker {metadata.version('stoker')}, API stoker.dev/v1alpha1\n"
    assert main(["version", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"version": metadata.version("stoker"), "api": "stoker.dev/v1alpha1"}


def test_as_a_plugin_of_kubectl_it_goes_by_that_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/local/bin/kubectl-stoker"])
    assert main(["config", "--set", "x=1"]) == 2
    assert capsys.readouterr().err.startswith("kubectl stoker config: --set x=1")


def test_the_printed_configuration_is_a_configuration_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--set", "log.level=debug", "--set", "pods.nodeSelector={pool: 'on', a.b/c: '1'}"]
    assert main(["config", *flags]) == 0
    printed = capsys.readouterr().out
    file = tmp_path / "printed.yaml"
    file.write_text(printed, encoding="utf-8")
    assert main(["config", "--config", str(file), "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == yaml.safe_load(printed)


def test_the_defaults_are_printed_without_comments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    printed = capsys.readouterr().out
    assert "#" not in printed
    assert Configuration.model_validate_json(json.dumps(yaml.safe_load(printed))) == Configuration()


def test_a_comment_says_what_set_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "stoker.yaml"
    file.write_text("watch:\n  namespaces: [team-a]\nlimits:\n  maxReplicas: 10000\n", encoding="utf-8")
    monkeypatch.setenv("STOKER_CONFIG", str(file))
    monkeypatch.setenv("STOKER_LOG_LEVEL", "debug")
    assert main(["config", "--set", "probes.port=0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"  namespaces:  # {file}, line 2" in lines
    assert "  level: debug  # STOKER_LOG_LEVEL" in lines
    assert "  port: 0  # --set probes.port" in lines
    assert "  maxReplicas: 10000" in lines  # that is its default


def test_one_problem_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--set", "log.level=loud"]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err == (
        "stoker config: --set log.level: \"loud\" does not fit here: write one of 'debug', 'info', 'warning' or"
        " 'error'\n"
    )


def test_several_problems_are_one_block(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--set", "x=1", "--set", "log=1"]) == 2
    assert capsys.readouterr().err == (
        "stoker config: 2 problems:\n"
        "  - --set x=1: x is not a key of the configuration: `stoker config` lists the keys\n"
        "  - --set log=1: log holds further keys: set one of them, such as log.format\n"
    )


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    command = f"{sys.executable} -m stoker.cli config | head -n 1"
    folder = Path(__file__).parents[3] / "operator"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "watch:\n", "")
