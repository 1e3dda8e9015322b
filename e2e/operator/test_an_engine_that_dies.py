"""An engine that is killed or hangs inside its pod: the agent ends with the code that says so, and the last lines stay
in the pod's status, and in the model's while it does not serve."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.images.build import build as build_image
from e2e.operator.conftest import Models, Operators
from e2e.operator.streams import with_agent
from e2e.operator_process import OperatorProcess
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.usefixtures("operator")]

STALL_SECONDS = 10
# The agent looks every few seconds, and the kubelet tells what it saw within a few more.
NOTICED_SECONDS = 10
# The agent is process 1, and the engine the one that it started.
KILL_THE_ENGINE = """
import os, pathlib, signal
children = pathlib.Path("/proc/1/task/1/children").read_text().split()
os.kill(int(children[0]), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def operator(operators: Operators) -> Iterator[OperatorProcess]:
    load_image(operators.cluster.layout, "simulated")
    image = build_image("simulated").reference
    with operators.operator(engines=with_agent(image), agent={"stallSeconds": STALL_SECONDS}) as process:
        yield process


def test_an_engine_that_is_killed(models: Models, figure: Callable[[str, float], None]) -> None:
    (pod,) = served(models)
    began = time.monotonic()
    models.namespace.execute(pod, "python3", "-c", KILL_THE_ENGINE)
    end = end_of(models, pod, seconds=30)
    figure("an engine killed in its pod, until the pod's status says so", time.monotonic() - began)
    assert (end["exitCode"], end["told"]["reason"]) == (77, "EngineKilled")
    assert "signal SIGKILL" in end["told"]["message"]
    assert any("listening" in line for line in end["told"]["lines"])
    models.wait_ready()
    assert set(models.pods()) == {pod}, "the pod was replaced, and its container alone should have been"


def test_an_engine_that_hangs_with_good_health(models: Models, figure: Callable[[str, float], None]) -> None:
    (pod,) = served(models, "--hang")
    began = time.monotonic()
    with asked(models, pod) as client:
        end = end_of(models, pod, seconds=STALL_SECONDS + NOTICED_SECONDS)
        figure(
            f"an engine that hangs ({STALL_SECONDS} s allowed), until the pod's status says so",
            time.monotonic() - began,
        )
        client.wait(10)
    assert (end["exitCode"], end["told"]["reason"]) == (75, "EngineStalled")
    assert "1 request(s) in flight" in end["told"]["message"]
    assert end["told"]["lines"]


def test_an_engine_that_crashes_again_and_again_is_quoted_by_the_model(models: Models) -> None:
    create(models, "--out-of-memory-at-token", "0")
    message = models.wait_for_reason("Ready", "OutOfGPUMemory")
    assert "exit code 72 (GPUMemory)" in message
    assert "Tried to allocate 2.00 GiB" in message
    assert '"lines"' not in message


def create(models: Models, *args: str) -> None:
    models.create(engine={"name": "simulated", "image": None, "custom": None, "args": list(args)})


def served(models: Models, *args: str) -> dict[str, str]:
    create(models, *args)
    models.wait_ready(seconds=120)
    return models.pods()


def asked(models: Models, pod: str) -> "subprocess.Popen[bytes]":
    """A client that waits for its answer."""
    address = models.namespace.json("get", f"pod/{pod}")["status"]["podIP"]
    body = json.dumps({"model": "web", "prompt": "hello", "max_tokens": 8})
    request = ["--silent", "--header", "Content-Type: application/json", "--data", body]
    command = models.namespace.cluster.tool("curl", *request, f"http://{address}:8000/v1/completions")
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def end_of(models: Models, pod: str, seconds: float) -> dict[str, Any]:
    """How the server's container ended, with what the agent told."""

    def ends() -> list[dict[str, Any]]:
        (status,) = models.namespace.json("get", f"pod/{pod}")["status"]["containerStatuses"]
        return [state["terminated"] for key in ("state", "lastState") if "terminated" in (state := status[key])]

    until(lambda: bool(ends()), "the end of the server's container", seconds)
    end = ends()[0]
    return end | {"told": json.loads(end["message"])}
