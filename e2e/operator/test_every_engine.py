"""Engines that run without a GPU, real ones, each through a ModelDeployment: they answer, grow, shrink and are counted.

Their images are left as they are: the agent stands beside the engine, in a container of its own.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.cluster.layout import DNS_DOMAIN
from e2e.images.build import build as build_image
from e2e.models.build import build as build_model
from e2e.operator.conftest import ROOT, Models, Operators, claim_of
from e2e.operator.streams import Load, wait_until_routed
from e2e.operator_process import OperatorProcess
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]


@dataclass(frozen=True)
class Engine:
    """One engine: its image, what it is given, and a load that two cores can carry."""

    name: str
    model: str
    rate: float
    stream_tokens: int
    spec: tuple[tuple[str, Any], ...] = ()
    load_flags: tuple[str, ...] = ()


LLAMACPP = Engine(
    "llamacpp", "tiny-llama-gguf", rate=2.0, stream_tokens=64, spec=(("contextLength", 512), ("maxConcurrency", 4))
)
# Compiled without optimisation, so that it is compiled in minutes.
OLLAMA = Engine(
    "ollama", "tiny-llama-gguf", rate=2.0, stream_tokens=8, spec=(("contextLength", 512), ("maxConcurrency", 4))
)
# It refuses what OpenAI's API does not have, and ends its streams without [DONE].
TRANSFORMERS = Engine("transformers", "tiny-llama", rate=1.0, stream_tokens=16, load_flags=("--openai-alone",))
BENTOML = Engine("bentoml", "tiny-llama", rate=1.0, stream_tokens=16)


@pytest.fixture(scope="module")
def operator(operators: Operators) -> Iterator[OperatorProcess]:
    load_image(operators.cluster.layout, "simulated")  # Stoker's runtime without vLLM
    with operators.operator(runtime={"image": build_image("simulated").reference}) as process:
        yield process


@pytest.mark.usefixtures("operator")
@pytest.mark.parametrize("engine", [LLAMACPP, OLLAMA, TRANSFORMERS, BENTOML], ids=lambda it: it.name)
def test_it_answers_grows_and_shrinks_without_a_cut(
    models: Models, engine: Engine, figure: Callable[[str, float], None]
) -> None:
    began = time.monotonic()
    served(models, engine)
    figure(f"{engine.name}, from the ModelDeployment's creation to Ready", time.monotonic() - began)
    assert conversation(models) == {}
    load = Load(models, engine.rate, engine.stream_tokens, *engine.load_flags)
    with load.running():
        for replicas in (2, 1):
            models.namespace.kubectl("scale", "mdep/web", f"--replicas={replicas}")
            until(lambda wanted=replicas: len(models.pods()) == wanted, f"{replicas} replicas", 180)  # type: ignore[misc]
            models.wait_settled(seconds=240)
            time.sleep(3)
        counted = metrics_of_the_agent(models)
    load.assert_that_nobody_noticed()
    assert counted['stoker_replica_requests_total{outcome="finished"}'] > 1
    assert counted['stoker_replica_requests_total{outcome="engine_failed"}'] == 0
    assert counted["stoker_replica_output_tokens_total"] > 1
    assert counted["stoker_replica_ttft_seconds_count"] > 1


def served(models: Models, engine: Engine) -> None:
    layout = models.namespace.cluster.layout
    load_image(layout, engine.name)
    folder = layout.state / f"{engine.name}-model"
    shutil.rmtree(folder, ignore_errors=True)
    build_model(engine.model, folder)
    claim_of(models, str(folder))
    chosen = {"name": engine.name, "image": build_image(engine.name).reference, "custom": None}
    models.create(
        model={"source": "pvc://tiny-llama"},
        engine=chosen | dict(engine.spec),
        accelerator={"count": 0},
        drain={"graceSeconds": 60},
    )
    models.wait_ready(seconds=240)
    wait_until_routed(models)


def conversation(models: Models) -> dict[str, str]:
    """What went wrong between the official client and the Service."""
    url = f"http://web.{models.namespace.name}.svc.{DNS_DOMAIN}/v1"
    checks = ["lists_the_model", "answers_a_chat", "streams_a_chat"]
    command = models.namespace.cluster.tool(sys.executable, "-m", "e2e.operator.conformance", url, "web", *checks)
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    return {name: found for name, found in json.loads(answer.stdout).items() if found is not True}


def metrics_of_the_agent(models: Models) -> dict[str, float]:
    """Of the replica that stays, by sample."""
    (pod,) = models.pods()
    address = models.namespace.json("get", f"pod/{pod}")["status"]["podIP"]
    answer = models.namespace.cluster.run("curl", "--silent", "--fail", f"http://{address}:8010/metrics")
    lines = [line.rsplit(" ", 1) for line in answer.stdout.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}
