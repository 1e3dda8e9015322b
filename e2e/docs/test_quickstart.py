"""What a newcomer types: `make up`, twice, and then docs/quickstart.md word for word, on a real cluster."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from e2e.cluster.binaries import HELM, KUBE
from e2e.cluster.build import built
from e2e.cluster.layout import Layout
from e2e.cluster.namespace import processes_of, tool_prefix
from e2e.docs.blocks import Block, blocks
from e2e.running_cluster import RunningCluster
from e2e.up.release import NAME, NAMESPACE
from e2e.up.stage import HUB, bring_image, chart_values, ensure_hub

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "quickstart.md"
_LONGEST_SECONDS = 300
_STREAMED = re.compile(r"(\d+) pieces streamed")


def inside(layout: Layout, *more_path: str) -> dict[str, str]:
    """The environment of `python -m e2e.cluster exec`, for this working tree."""
    tools = built([KUBE, HELM])
    paths = (*more_path, str(tools[KUBE.name]), str(tools[HELM.name]), os.environ["PATH"])
    code = (str(ROOT), str(ROOT / "operator"), str(ROOT / "runtime-image"))
    return os.environ | {"KUBECONFIG": str(layout.kubeconfig), "PATH": ":".join(paths), "PYTHONPATH": ":".join(code)}


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
        self._prefix = tool_prefix(layout)
        self._environment = inside(layout, str(commands))

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


def up(cluster: RunningCluster, *flags: str) -> subprocess.CompletedProcess[str]:
    """What `make up` runs."""
    return typed([sys.executable, "-m", "e2e.up", "--name", cluster.layout.name, *flags], inside(cluster.layout))


def typed(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(answer.stdout, answer.stderr)
    return answer


def pieces_streamed(said: str) -> int:
    found = _STREAMED.search(said)
    assert found, said
    return int(found[1])


def world(cluster: RunningCluster) -> dict[str, object]:
    """All that a second `make up` could have changed."""
    # Jobs that are done go when their time has come.
    pods = cluster.json("get", "pods", "--all-namespaces", "--field-selector=status.phase=Running")["items"]
    models = cluster.json("get", "modeldeployments", "--all-namespaces")["items"]
    hub = processes_of(cluster.layout).alive(HUB)
    return {
        "pods": {
            pod["metadata"]["uid"]: [c["restartCount"] for c in pod["status"]["containerStatuses"]] for pod in pods
        },
        "models": {model["metadata"]["uid"]: model["metadata"]["generation"] for model in models},
        "revisions of the release": cluster.kubectl("get", "secrets", f"--namespace={NAMESPACE}", "--output=name"),
        "hub": hub and hub.pid,
    }


def test_make_up_ends_with_tokens_that_stream_and_a_second_one_changes_nothing(
    cluster: RunningCluster, figure: Callable[[str, float], None]
) -> None:
    began = time.monotonic()
    first = up(cluster)
    assert first.returncode == 0
    figure("make up, from a cluster without images until vLLM's answer has streamed", time.monotonic() - began)
    assert pieces_streamed(first.stdout) > 1
    before = world(cluster)
    assert before["hub"]
    began = time.monotonic()
    second = up(cluster)
    assert second.returncode == 0
    figure("make up, where all of it runs already", time.monotonic() - began)
    assert pieces_streamed(second.stdout) > 1
    assert world(cluster) == before


def test_a_cluster_that_exists_is_installed_into_by_the_name_of_its_context(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    context = json.loads(cluster.layout.kubeconfig.read_text())["current-context"]
    values = tmp_path / "images.yaml"
    values.write_text(yaml.safe_dump(staged_values(cluster.layout)))
    flags = ("--context", context, "--values", str(values), "--model", "docs/examples/11-without-a-gpu.yaml")
    command = [*tool_prefix(cluster.layout), sys.executable, "-m", "e2e.up", *flags]
    answer = typed(command, inside(cluster.layout))
    assert answer.returncode == 0
    assert pieces_streamed(answer.stdout) > 1


def test_a_model_that_is_not_ready_in_time_is_explained(cluster: RunningCluster, tmp_path: Path) -> None:
    manifest = tmp_path / "absent.yaml"
    spec = {"model": {"source": "hf://stoker/absent"}, "accelerator": {"count": 0}, "scaling": {"maxReplicas": 1}}
    kind = {"apiVersion": "stoker.dev/v1alpha1", "kind": "ModelDeployment"}
    manifest.write_text(yaml.safe_dump({**kind, "metadata": {"name": "absent"}, "spec": spec}))
    answer = up(cluster, "--model", str(manifest), "--patience", "15")
    assert answer.returncode == 2
    assert "absent is not Ready" in answer.stderr
    assert "ModelDeployment default/absent" in answer.stdout  # as `stoker explain` begins
    cluster.kubectl("delete", "modeldeployment/absent", "--timeout=60s")


def staged_values(layout: Layout) -> dict[str, object]:
    operator, runtime = (bring_image(layout, name)[0] for name in ("operator", "runtime"))
    return chart_values(operator, runtime)


@pytest.fixture
def reader(cluster: RunningCluster, tmp_path: Path) -> Iterator[Reader]:
    """In a cluster in which Stoker is not installed yet, as those have it who bring their own."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    made = Reader(cluster.layout, folder)
    made.write("images.yaml", yaml.safe_dump(staged_values(cluster.layout)))
    ensure_hub(cluster.layout)
    remove_models(cluster)
    with made.begins(f"helm uninstall {NAME} --namespace {NAMESPACE} --ignore-not-found --wait") as uninstall:
        uninstall.communicate(timeout=_LONGEST_SECONDS)
    yield made
    remove_models(cluster)
    cluster.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=60s")


def remove_models(cluster: RunningCluster) -> None:
    if "modeldeployments" in cluster.kubectl("get", "crds", "--output=name"):
        cluster.kubectl("delete", "modeldeployments", "--all", "--all-namespaces", "--timeout=120s")
    cluster.kubectl("delete", "persistentvolumeclaims", "--all", "--timeout=120s")


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
    assert "1 of 1 model Ready in namespace default" in everything
