"""docs/quickstart.md, typed word for word on a real cluster."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from e2e.cluster.layout import Layout
from e2e.cluster.namespace import tool_prefix
from e2e.docs.blocks import Block, blocks
from e2e.docs.stage import hub_command, prepare, search_path
from e2e.running_cluster import RunningCluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "quickstart.md"
_LONGEST_SECONDS = 300


class Reader:
    """Somebody in a checkout with a shell in the cluster's network, who types one block after the other."""

    def __init__(self, layout: Layout, folder: Path) -> None:
        self._folder = folder
        for name in ("charts", "crds", "docs"):
            (folder / name).symlink_to(ROOT / name)
        commands = folder / "bin"
        commands.mkdir()
        # As the package installs it, for this working tree.
        (commands / "stoker").write_text(f'#!/bin/sh\nexec {sys.executable} -m stoker.cli "$@"\n')
        (commands / "stoker").chmod(0o755)
        paths = [str(ROOT / "operator"), str(ROOT / "runtime-image"), os.environ.get("PYTHONPATH", "")]
        self._prefix = tool_prefix(layout)
        self._environment = os.environ | {
            "KUBECONFIG": str(layout.kubeconfig),
            "PATH": f"{commands}:{search_path(os.environ['PATH'])}",
            "PYTHONPATH": ":".join(paths),
        }

    def write(self, name: str, text: str) -> None:
        (self._folder / name).write_text(text)

    def types(self, block: Block) -> str:
        with self.begins(block.text) as process:
            said, _ = process.communicate(timeout=_LONGEST_SECONDS)
        assert process.returncode == 0, f"docs/quickstart.md, line {block.line}:\n{block.text}\n{said}"
        return said

    @contextmanager
    def begins(self, text: str) -> Iterator[subprocess.Popen[str]]:
        """Ended, with all that it began, at the end."""
        process = subprocess.Popen(
            [*self._prefix, "bash", "-euo", "pipefail", "-c", text],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(30)
            if process.stdout:
                process.stdout.close()


@pytest.fixture
def reader(cluster: RunningCluster, tmp_path: Path) -> Iterator[Reader]:
    folder = tmp_path / "checkout"
    folder.mkdir()
    made = Reader(cluster.layout, folder)
    made.write("images.yaml", yaml.safe_dump(prepare(cluster.layout)))
    with subprocess.Popen(hub_command(cluster.layout, tmp_path / "hub"), stdout=subprocess.DEVNULL, cwd=ROOT) as hub:
        yield made
        hub.terminate()
    for left in ("modeldeployments --all --all-namespaces", "namespace stoker-system --ignore-not-found"):
        cluster.kubectl("delete", *left.split(), "--timeout=60s")


def test_every_command_of_the_quickstart_works_as_it_is_written(reader: Reader) -> None:
    page = list(blocks(PAGE.read_text(encoding="utf-8")))
    ran = [block for block in page if block.why_not_run is None]
    assert len(ran) >= 10
    said: dict[str, str] = {}
    beside: list[Block] = [block for block in ran if block.meanwhile]
    assert len(beside) == 1
    for block in ran[: ran.index(beside[0])]:
        said[block.text] = reader.types(block)
    with reader.begins(beside[0].text):
        time.sleep(2)  # until the port is open
        for block in ran[ran.index(beside[0]) + 1 :]:
            said[block.text] = reader.types(block)
    everything = "\n".join(said.values())
    print(everything)
    assert "data: [DONE]" in everything
    assert "1 of 1 models Ready in namespace default" in everything
