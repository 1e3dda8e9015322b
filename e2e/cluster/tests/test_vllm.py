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
from e2e.running_cluster import Namespace, pod, until

pytestmark = [pytest.mark.e2e, pytest.mark.vllm, pytest.mark.timeout(1800)]

READY_SECONDS = 180
MODEL = "tiny-llama"
# Prints each line of the answer as it comes, from within the cluster's network.
CHAT = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
for line in urllib.request.urlopen(request, timeout=60):
    print(line.decode(), end="", flush=True)
"""
FLAGS = (
    "--model=/model", f"--served-model-name={MODEL}", "--port=8000", "--max-model-len=512", "--max-num-seqs=2",
    "--enforce-eager", "--dtype=bfloat16", "--distributed-executor-backend=uni", "--kv-cache-memory-bytes=64M",
    "--shutdown-timeout=30",
)  # fmt: skip


def _server(name: str, image: str, model_folder: str) -> dict[str, Any]:
    paths = {"model": "/model", "tmp": "/tmp", "shm": "/dev/shm"}
    mounts = [{"name": name, "mountPath": path, "readOnly": name == "model"} for name, path in paths.items()]
    container = {
        "image": image,
        "command": None,
        "args": list(FLAGS),
        "env": [{"name": "HOME", "value": "/tmp"}],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
        "readinessProbe": {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 1},
        "securityContext": {
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": mounts,
    }
    volumes = [
        {"name": "model", "hostPath": {"path": model_folder}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
    ]
    return pod(name, container=container, volumes=volumes, terminationGracePeriodSeconds=30)


@pytest.fixture
def model_folder(namespace: Namespace) -> str:
    folder = namespace.cluster.layout.state / "test-model"
    shutil.rmtree(folder, ignore_errors=True)
    build_model(MODEL, folder)
    return str(folder)


def test_real_vllm_streams_a_chat_completion_through_its_service(
    namespace: Namespace, model_folder: str, figure: Callable[[str, float], None]
) -> None:
    load_image(namespace.cluster.layout, "vllm-cpu")
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "llama"},
        "spec": {"selector": {"app": "vllm"}, "ports": [{"port": 80, "targetPort": 8000}]},
    }
    began = time.monotonic()
    namespace.apply(_server("vllm", build_image("vllm-cpu").reference, model_folder), service)
    namespace.wait_ready("vllm", seconds=READY_SECONDS)
    figure("real vLLM, from the pod's creation to Ready", time.monotonic() - began)

    request = {
        "model": MODEL,
        "stream": True,
        "max_tokens": 32,
        "ignore_eos": True,
        "messages": [{"role": "user", "content": "hello"}],
    }
    url = f"http://llama.{namespace.name}.svc.{DNS_DOMAIN}/v1/chat/completions"
    command = namespace.cluster.tool(sys.executable, "-c", CHAT, url, json.dumps(request))
    answers: list[subprocess.CompletedProcess[str]] = []

    def is_routed() -> bool:
        answers.append(subprocess.run(command, capture_output=True, text=True, check=False))
        return "Connection refused" not in answers[-1].stderr

    until(is_routed, "the Service to lead to the pod, a moment after it is ready", 20)
    answer = answers[-1]
    assert answer.returncode == 0, answer.stderr
    events = [line.removeprefix("data: ") for line in answer.stdout.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    # Random weights give bytes that are not always whole characters, so there are fewer pieces than tokens.
    assert len([chunk for chunk in chunks if chunk["choices"][0]["delta"].get("content")]) > 1
    assert chunks[-1]["choices"][0]["finish_reason"] == "length"


def test_four_replicas_of_real_vllm_run_side_by_side(
    namespace: Namespace, model_folder: str, figure: Callable[[str, float], None]
) -> None:
    load_image(namespace.cluster.layout, "vllm-cpu")
    image = build_image("vllm-cpu").reference
    names = [f"vllm-{index}" for index in range(4)]
    began = time.monotonic()
    namespace.apply(*(_server(name, image, model_folder) for name in names))
    namespace.wait_ready(*names, seconds=READY_SECONDS)
    figure("real vLLM, four pods at once, until the last is Ready", time.monotonic() - began)
