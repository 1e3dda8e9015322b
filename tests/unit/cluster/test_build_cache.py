import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.cluster.binaries import ALL_BINARIES, KUBE, PROVISIONER, Binary
from e2e.cluster.build import built
from e2e.cluster.refusal import Refusal
from e2e.cluster.toolchain import Go, find_go, required_version

GO = Go(Path("/usr/bin/go"), "1.26.8")
# Stands in for the compiler: says its version, or writes a file and notes that it was called.
FAKE_GO = """#!/bin/sh
if [ "$1" = env ]; then echo go9.9.9; exit; fi
echo build >> "$CALLS"
sleep "${SLOW:-0}"
if [ -n "$FAIL" ]; then echo "main.go:1:1: this does not compile" >&2; exit 1; fi
while [ "$1" != -o ]; do shift; done
echo built > "$2"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    go = tmp_path / "path" / "go"
    go.parent.mkdir()
    go.write_text(FAKE_GO)
    go.chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()
    monkeypatch.setenv("PATH", f"{go.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("STOKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CALLS", str(calls))
    find_go.cache_clear()
    yield calls
    find_go.cache_clear()


def test_a_binary_is_built_once(calls: Path) -> None:
    first = built([PROVISIONER])["provisioner"]
    assert (first / "provisioner").read_text() == "built\n"
    assert built([PROVISIONER])["provisioner"] == first
    assert calls.read_text().count("build") == 1


@pytest.mark.usefixtures("calls")
def test_the_kubernetes_binary_is_there_under_the_name_of_each_component() -> None:
    folder = built([KUBE])["kube"]
    assert (folder / "kube-apiserver").read_text() == "built\n"
    assert {path.name for path in folder.iterdir()} == {"kube", *KUBE.aliases}


def test_a_failed_build_says_the_compilers_words_and_leaves_nothing(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIL", "yes")
    with pytest.raises(Refusal, match="this does not compile"):
        built([PROVISIONER])
    assert [path.name for path in (calls.parent / "cache" / "bin").iterdir()] == [".lock"]


def test_two_starts_at_once_build_once(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOW", "0.5")
    code = "from e2e.cluster.build import built; from e2e.cluster.binaries import PROVISIONER; built([PROVISIONER])"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert calls.read_text().count("build") == 1


def test_the_key_changes_with_the_compiler_and_with_the_binary() -> None:
    keys = {binary.key(go) for binary in (KUBE, PROVISIONER) for go in (GO, Go(GO.executable, "1.26.9"))}
    assert len(keys) == 4


def test_the_key_changes_with_each_source_and_not_with_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("e2e.cluster.binaries.GO_SOURCES", tmp_path)
    binary = Binary("tool", "./cmd/tool")
    (tmp_path / "cmd" / "tool").mkdir(parents=True)
    sources = [tmp_path / name for name in ("go.mod", "go.sum", "cmd/tool/main.go")]
    for path in sources:
        path.touch()
    seen = {binary.key(GO)}
    (tmp_path / "cmd" / "tool" / "main_test.go").write_text("package main")
    assert binary.key(GO) in seen
    for path in sources:
        path.write_text("changed")
        seen.add(binary.key(GO))
    assert len(seen) == 4


def test_every_stamped_version_is_the_one_its_module_requires() -> None:
    versions = {binary.name: binary.version() for binary in ALL_BINARIES if binary.stamped_with}
    assert versions == {"kube": "v1.35.4", "coredns": "v1.13.1", "helm": "v3.22.0", "kwok": "v0.8.0"}
    assert "gitMinor=35" in KUBE.linker_flags()


def test_the_required_go_is_the_newest_that_any_module_asks_for() -> None:
    assert required_version() == (1, 26, 0)
