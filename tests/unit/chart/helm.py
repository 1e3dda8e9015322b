"""Runs the helm that is built with the cluster. Where it is not built yet, tests are skipped, and fail in CI."""

import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

from e2e.cluster.binaries import HELM
from e2e.cluster.cache import cache_folder
from e2e.cluster.toolchain import find_go
from tests.unit.chart.generation.places import CHART

# A helm that is built as a module says that it is made for Kubernetes 1.20.
KUBE_VERSION = "1.35.0"
_HOW = "build it with `python -m e2e.cluster build`, which keeps it in the cache"


@cache
def helm() -> Path:
    executable = cache_folder() / "bin" / HELM.key(find_go()) / HELM.name
    if not executable.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"there is no {executable}, and in CI nothing is skipped: {_HOW}", pytrace=False)
        pytest.skip(f"there is no helm: {_HOW}")
    return executable


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(helm()), *arguments], capture_output=True, text=True, check=False)


def template(*arguments: str) -> subprocess.CompletedProcess[str]:
    place = ["--namespace", "stoker-system", "--kube-version", KUBE_VERSION]
    return run("template", "stoker", str(CHART), *place, *arguments)


def rendered(*arguments: str) -> str:
    answer = template(*arguments)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def refused(*arguments: str) -> str:
    """What helm says to values that it must not take."""
    answer = template(*arguments)
    assert answer.returncode != 0, f"helm took {arguments}"
    return answer.stderr
