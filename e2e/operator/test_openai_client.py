"""Real vLLM behind its agent, through its Service, as the official client uses it; it sleeps and wakes by vLLM's own
protocol, and leaves without a cut.

On the processor vLLM refuses --enable-sleep-mode, and its routes for sleep pause it, resume it and load its weights
anew without giving up memory. So this shows the protocol, and no time of a GPU.
"""

import json
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.cluster.layout import DNS_DOMAIN
from e2e.images.build import build as build_image
from e2e.models.build import build as build_model
from e2e.operator.conftest import ROOT, Models, Operators, claim_of
from e2e.operator.streams import Load
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.vllm, pytest.mark.timeout(1800)]

ENGINE = {
    "name": "vllm",
    "image": None,
    "custom": None,
    "contextLength": 512,
    "maxConcurrency": 8,
    "dtype": "bfloat16",
    "args": [
        "--enforce-eager",
        "--distributed-executor-backend=uni",
        "--kv-cache-memory-bytes=64M",
        "--no-enable-sleep-mode",
        "--enable-auto-tool-choice",
        "--tool-call-parser=hermes",
        # A model that was hardly trained would go on with spaces wherever the grammar lets it.
        '--structured-outputs-config={"backend": "xgrammar", "disable_any_whitespace": true}',
    ],
    "env": [
        {"name": "VLLM_ENABLE_V1_MULTIPROCESSING", "value": "0"},
        {"name": "OMP_NUM_THREADS", "value": "1"},
        # Some of vLLM's functions are compiled at their first call, for which the image has no compiler.
        {"name": "TORCHDYNAMO_DISABLE", "value": "1"},
    ],
}


def test_the_official_client_and_a_replica_that_sleeps_wakes_and_leaves_under_its_streams(
    models: Models, operators: Operators, figure: Callable[[str, float], None], tmp_path: Path
) -> None:
    layout = models.namespace.cluster.layout
    load_image(layout, "runtime")
    folder = layout.state / "conformance-model"
    shutil.rmtree(folder, ignore_errors=True)
    build_model("tiny-llama", folder)
    claim_of(models, str(folder))
    key = tmp_path / "agent-key"
    key.write_text(secrets.token_hex(32))
    runtime = build_image("runtime").reference
    with operators.operator(runtime={"image": runtime}, agent={"keyFile": str(key)}):
        began = time.monotonic()
        models.create(
            replicas=2,
            model={"source": "pvc://tiny-llama"},
            engine=ENGINE,
            accelerator={"count": 1},
            drain={"graceSeconds": 60},
            scaling={"maxReplicas": 2, "mode": "Off", "asleepReplicas": 1},
        )
        models.wait_ready(seconds=240)
        figure("real vLLM behind its agent, from the ModelDeployment's creation to Ready", time.monotonic() - began)
        until(lambda: len(models.pods()) == 2, "two replicas", 10)
        models.wait_settled(seconds=240)
        time.sleep(2)
        url = f"http://web.{models.namespace.name}.svc.{DNS_DOMAIN}/v1"
        command = models.namespace.cluster.tool(sys.executable, "-m", "e2e.operator.conformance", url, "web")
        answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert answer.returncode == 0, answer.stderr
        assert {name: found for name, found in json.loads(answer.stdout).items() if found is not True} == {}
        load = Load(models, rate=4.0, output_tokens=200)
        with load.running():
            for level in (1, 2):
                change(models, {"replicas": 1, "scaling": {"sleepLevel": level}})
                until(lambda: asleep(models), "a sleeper", 120)
                began = time.monotonic()
                change(models, {"replicas": 2})
                until(lambda: len(models.pods()) == 2, "a replica that has woken", 120)
                figure(f"real vLLM on the CPU, from an order to awake at level {level}", time.monotonic() - began)
            change(models, {"replicas": 1, "scaling": {"asleepReplicas": 0}})
            until(lambda: len(models.pods()) == 1, "one replica", 120)
        load.assert_that_nobody_noticed()
        said = models.namespace.kubectl("get", "events", "--output=jsonpath={.items[*].reason}")
        assert "WakeUp" not in said, said


def change(models: Models, spec: dict[str, Any]) -> None:
    models.namespace.kubectl("patch", "mdep/web", "--type=merge", f"--patch={json.dumps({'spec': spec})}")


def asleep(models: Models) -> bool:
    """Whether there is a sleeper, and its agent says that it sleeps or falls asleep."""
    pods = models.namespace.json("get", "pods", "--selector=stoker.dev/tier=asleep")["items"]
    if not pods:
        return False
    ask = ["curl", "--silent", f"http://{pods[0]['status']['podIP']}:8010/load"]
    return bool(json.loads(models.namespace.cluster.run(*ask).stdout)["asleep"])
