"""Each thing that is missing is one line that says what to do."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.up.cli import main

ROOT = Path(__file__).parents[3]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone gets that far, or can become somebody else")
_KUBECTL = """#!/bin/sh
case "$*" in
  "config get-contexts --output=name") echo staging; echo production;;
  "--context=production version"*) exit 0;;
  *version*) echo "Unable to connect to the server: no route to host" >&2; exit 1;;
esac
"""
_HELM = """#!/bin/sh
echo "Error: release: not found" >&2
exit 1
"""


Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    def run(*arguments: str) -> str:
        assert main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return run


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose kubectl knows two contexts, of which one answers, and whose helm finds nothing installed."""
    for name, script in (("kubectl", _KUBECTL), ("helm", _HELM)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_a_context_without_kubectl_or_helm_names_the_tool(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no kubectl on the PATH" in refused("--context", "staging")


@pytest.mark.usefixtures("tools")
def test_an_unknown_context_is_refused_with_those_there_are(refused: Refused) -> None:
    line = refused("--context", "stagign")
    assert "CONTEXT=stagign" in line
    assert "staging, production" in line


@pytest.mark.usefixtures("tools")
def test_an_empty_context_does_not_mean_this_machine(refused: Refused) -> None:
    assert "has no such context" in refused("--context", "")


@pytest.mark.usefixtures("tools")
def test_a_cluster_that_does_not_answer_is_told_in_kubectls_words(refused: Refused) -> None:
    line = refused("--context", "staging")
    assert "does not answer" in line
    assert "no route to host" in line


@pytest.mark.usefixtures("tools")
def test_without_values_it_says_which_images_are_needed_and_how_they_come_there(refused: Refused) -> None:
    line = refused("--context", "production", "--model", "docs/examples/11-without-a-gpu.yaml")
    assert "two images" in line
    assert "operator/Containerfile" in line
    assert "make up CONTEXT=production VALUES=FILE" in line


def test_values_without_a_context_are_refused(refused: Refused) -> None:
    assert "CONTEXT=" in refused("--values", "images.yaml")


def test_a_model_that_is_no_file_is_refused(refused: Refused) -> None:
    assert "no-such.yaml: cannot be read" in refused("--model", "no-such.yaml")


def test_a_manifest_of_another_kind_is_refused(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("kind: Pod\n")
    assert "no single ModelDeployment" in refused("--model", str(tmp_path / "pod.yaml"))


@as_root
def test_a_name_that_no_cluster_can_have_is_refused(refused: Refused) -> None:
    assert "is no cluster name" in refused("--name", "My_Cluster")


@as_root
def test_without_root_it_says_so() -> None:
    nobody = ("setpriv", "--reuid=65534", "--clear-groups")
    program = "import sys; sys.path[:0] = sys.argv[1:]; from e2e.up.cli import main; sys.exit(main([]))"
    answer = subprocess.run(
        [*nobody, sys.executable, "-c", program, str(ROOT), str(ROOT / "operator"), str(ROOT / "runtime-image")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"STOKER_CACHE": "/nonexistent"},
    )
    assert answer.returncode == 2, answer
    assert "needs root" in answer.stderr
