"""The Go programs of the one-node cluster pass their own tests."""

import subprocess
from pathlib import Path

import pytest

from e2e.cluster.build import build_environment
from e2e.cluster.toolchain import find_go

MODULE = Path(__file__).parents[2] / "e2e" / "cluster" / "go"
PROGRAMS = ("./cmd/fake-gpu", "./cmd/provisioner", "./cmd/scrape-targets")


@pytest.mark.parametrize("arguments", [("vet",), ("test", "-count=1")], ids=lambda arguments: arguments[0])
@pytest.mark.timeout(900)
def test_go(arguments: tuple[str, ...]) -> None:
    # As the programs are built, so that what is compiled for them is used again.
    answer = subprocess.run(
        [find_go().executable, *arguments, "-trimpath", *PROGRAMS],
        cwd=MODULE,
        env=build_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
