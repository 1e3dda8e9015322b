"""From a ModelDeployment to tokens that stream out of its Service."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.cluster.layout import DNS_DOMAIN
from e2e.images.build import build as build_image
from e2e.models.build import build as build_model
from e2e.operator.conftest import Models, claim_of
from e2e.operator.streams import wait_until_routed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800), pytest.mark.usefixtures("running_operator")]

# Prints each line of the answer as it comes, from within the cluster's network.
CHAT = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
for line in urllib.request.urlopen(request, timeout=60):
    print(line.decode(), end="", flush=True)
"""
VLLM_FLAGS = [
    "--model=/mnt/weights",
    "--served-model-name=web",
    "--port=8000",
    "--max-model-len=512",
    "--max-num-seqs=2",
    "--enforce-eager",
    "--dtype=bfloat16",
    "--distributed-executor-backend=uni",
    "--kv-cache-memory-bytes=64M",
    "--shutdown-timeout=30",
]


def streamed(models: Models) -> list[dict[str, Any]]:
    request = {
        "model": "web",
        "stream": True,
        "max_tokens": 16,
        "ignore_eos": True,
        "messages": [{"role": "user", "content": "hello"}],
    }
    url = f"http://web.{models.namespace.name}.svc.{DNS_DOMAIN}/v1/chat/completions"
    command = models.namespace.cluster.tool(sys.executable, "-c", CHAT, url, json.dumps(request))
    wait_until_routed(models)
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    events = [line.removeprefix("data: ") for line in answer.stdout.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_the_simulated_engine_answers_like_a_model_server(models: Models, figure: Callable[[str, float], None]) -> None:
    load_image(models.namespace.cluster.layout, "simulated")
    began = time.monotonic()
    models.create(replicas=2, engine={"name": "simulated", "image": build_image("simulated").reference, "custom": None})
    models.wait_ready()
    figure("simulated engine, from the ModelDeployment's creation to Ready", time.monotonic() - began)
    assert streamed(models)[-1]["choices"][0]["finish_reason"] == "length"


@pytest.mark.vllm
def test_real_vllm_answers_as_an_engine_of_the_users_own(models: Models, figure: Callable[[str, float], None]) -> None:
    layout = models.namespace.cluster.layout
    load_image(layout, "vllm-cpu")
    folder = layout.state / "operator-model"
    shutil.rmtree(folder, ignore_errors=True)
    build_model("tiny-llama", folder)
    claim_of(models, str(folder))
    began = time.monotonic()
    models.create(
        model={"source": "pvc://tiny-llama"},
        engine={"image": build_image("vllm-cpu").reference, "args": VLLM_FLAGS, "custom": {"port": 8000}},
    )
    models.wait_ready(seconds=180)
    figure("real vLLM, from the ModelDeployment's creation to Ready", time.monotonic() - began)
    assert streamed(models)[-1]["choices"][0]["finish_reason"] == "length"
