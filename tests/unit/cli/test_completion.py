"""What shells offer, asked of a real bash and of the scripts for the others."""

import subprocess
import sys
from pathlib import Path

import pytest

from stoker.cli import completion
from stoker.cli.__main__ import main, parser_named
from stoker.cli.completion_scripts import candidates, commands_of, fish, zsh

_COMMANDS = commands_of(parser_named("stoker"))


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    file = tmp_path / "completion.bash"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    return file


@pytest.fixture
def path_with_a_cluster(tmp_path: Path) -> str:
    """A kubectl that knows two models and a namespace."""
    folder = tmp_path / "bin"
    folder.mkdir()
    kubectl = folder / "kubectl"
    kubectl.write_text(
        '#!/bin/sh\ncase "$2" in modeldeployments) printf "modeldeployment.stoker.dev/llama\\n'
        'modeldeployment.stoker.dev/qwen\\n";; *) echo namespace/team-a;; esac\n'
    )
    kubectl.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def offered(script: Path, path: str, *words: str) -> list[str]:
    """By bash, for the last of these words."""
    program = f"""
source {script}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_stoker
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", program, "bash", *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": path},
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_offers_commands(script: Path, path_with_a_cluster: str) -> None:
    assert offered(script, path_with_a_cluster, "stoker", "st") == ["status"]
    assert len(offered(script, path_with_a_cluster, "stoker", "")) == len(_COMMANDS)


def test_bash_offers_options_and_their_values(script: Path, path_with_a_cluster: str) -> None:
    assert offered(script, path_with_a_cluster, "stoker", "status", "--all") == ["--all-namespaces"]
    assert offered(script, path_with_a_cluster, "stoker", "status", "-o", "") == ["text", "json"]
    assert offered(script, path_with_a_cluster, "stoker", "completion", "") == ["bash", "zsh", "fish"]


def test_bash_offers_what_the_cluster_has(script: Path, path_with_a_cluster: str) -> None:
    assert offered(script, path_with_a_cluster, "stoker", "explain", "") == ["llama", "qwen"]
    assert offered(script, path_with_a_cluster, "stoker", "explain", "q") == ["qwen"]
    assert offered(script, path_with_a_cluster, "stoker", "top", "-n", "") == ["team-a"]


def test_without_a_cluster_bash_offers_no_model_and_says_nothing(script: Path) -> None:
    assert offered(script, "/usr/bin:/bin", "stoker", "explain", "") == []


def test_the_other_shells_know_every_command_and_option() -> None:
    for written in (zsh(_COMMANDS), fish(_COMMANDS)):
        assert all(command.name in written for command in _COMMANDS)
    assert "-l all-namespaces -s A" in fish(_COMMANDS) or "-s A -l all-namespaces" in fish(_COMMANDS)


def test_kubectl_is_offered_one_candidate_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["kubectl_complete-stoker", "status", "--w"])
    assert completion.for_kubectl() == 0
    assert capsys.readouterr().out == "--watch\n:4\n"


def test_candidates_are_for_the_last_word() -> None:
    assert candidates(_COMMANDS, []) == [command.name for command in _COMMANDS]
    assert candidates(_COMMANDS, ["up"]) == ["upgrade"]
    assert candidates(_COMMANDS, ["status", "-o", "j"]) == ["json"]
    assert candidates(_COMMANDS, ["unknown", ""]) == []
