"""Real vLLM behind its agent, with weights from a hub, through its Service, as the official client uses it; its health
beside many clients; what it compiles is kept where its next pod finds it; it sleeps and wakes by vLLM's own protocol,
and leaves without a cut.

On the processor vLLM refuses --enable-sleep-mode, and its routes for sleep pause it, resume it and load its weights
anew without giving up memory. So this shows the protocol, and no time of a GPU.
"""

import json
import secrets
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
from e2e.operator.conftest import ROOT, Models, Operators
from e2e.operator.hub import running_hub
from e2e.operator.real_vllm import on_the_processor
from e2e.operator.streams import Load, wait_until_routed
from e2e.running_cluster import until

pytestmark = [pytest.mark.e2e, pytest.mark.vllm, pytest.mark.timeout(1800)]

ENGINE = on_the_processor(
    512,
    "--no-enable-sleep-mode",
    "--enable-auto-tool-choice",
    "--tool-call-parser=hermes",
    # A model that was hardly trained would go on with spaces wherever the grammar lets it.
    '--structured-outputs-config={"backend": "xgrammar", "disable_any_whitespace": true}',
)


def test_the_official_client_and_a_replica_that_sleeps_wakes_and_leaves_under_its_streams(
    models: Models, operators: Operators, tmp_path: Path, figure: Callable[[str, float], None]
) -> None:
    cluster = models.namespace.cluster
    load_image(cluster.layout, "runtime")
    build_model("tiny-llama", tmp_path / "tests" / "tiny-llama")
    key = tmp_path / "agent-key"
    key.write_text(secrets.token_hex(32))
    runtime = {"image": build_image("runtime").reference}
    with (
        running_hub(cluster, tmp_path) as hub,
        operators.operator(runtime=runtime, agent={"keyFile": str(key)}, weights={"env": {"HF_ENDPOINT": hub.url}}),
    ):
        began = time.monotonic()
        models.create(
            replicas=2,
            model={"source": "hf://tests/tiny-llama"},
            engine=ENGINE,
            accelerator={"count": 1},
            drain={"graceSeconds": 60},
            scaling={"maxReplicas": 2, "mode": "Off", "asleepReplicas": 1},
        )
        models.wait_ready(seconds=240)
        figure("real vLLM behind its agent, from the ModelDeployment's creation to Ready", time.monotonic() - began)
        until(lambda: len(models.pods()) == 2, "two replicas", 10)
        models.wait_settled(seconds=240)
        wait_until_routed(models)
        url = f"http://web.{models.namespace.name}.svc.{DNS_DOMAIN}/v1"
        command = cluster.tool(sys.executable, "-m", "e2e.operator.conformance", url, "web")
        answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert answer.returncode == 0, answer.stderr
        assert {name: found for name, found in json.loads(answer.stdout).items() if found is not True} == {}
        p99_seconds = health_beside(models, command)
        figure("p99 of the readiness and load of real vLLM, beside 200 clients", p99_seconds)
        assert p99_seconds <= 1
        keeps_what_is_compiled(models)
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


def health_beside(models: Models, conformance: list[str]) -> float:
    """Seconds. Every question is answered, or this fails."""
    address = models.namespace.json("get", f"pod/{next(iter(models.pods()))}")["status"]["podIP"]
    with subprocess.Popen([*conformance, "answers_many_at_once"], stdout=subprocess.PIPE, text=True, cwd=ROOT) as load:
        asking = [sys.executable, "-m", "tests.unit.agent.questions", address, "8010", "500"]
        question = models.namespace.cluster.tool(*asking)
        asked = subprocess.run(question, capture_output=True, text=True, check=False, cwd=ROOT)
        found, _ = load.communicate()
    assert json.loads(found) == {"answers_many_at_once": True}
    assert asked.returncode == 0, asked.stderr
    seconds: list[float] = sorted(json.loads(asked.stdout))
    return seconds[int(len(seconds) * 0.99)]


def keeps_what_is_compiled(models: Models) -> None:
    """Two pods of the model see one folder that they may write, and which is not the one that their engine works in."""
    first, second = models.pods()
    run = ("exec", "-c", "server")
    models.namespace.kubectl(*run, first, "--", "python3", "-c", "open('/mnt/compiled/seen', 'w').close()")
    assert "seen" in models.namespace.kubectl(*run, second, "--", "ls", "/mnt/compiled")
    assert "seen" not in models.namespace.kubectl(*run, second, "--", "ls", "/var/cache/vllm/torch_compile_cache")


def change(models: Models, spec: dict[str, Any]) -> None:
    models.namespace.kubectl("patch", "mdep/web", "--type=merge", f"--patch={json.dumps({'spec': spec})}")


def asleep(models: Models) -> bool:
    """Whether there is a sleeper, and its agent says that it sleeps or falls asleep."""
    pods = models.namespace.json("get", "pods", "--selector=stoker.dev/tier=asleep")["items"]
    if not pods:
        return False
    ask = ["curl", "--silent", f"http://{pods[0]['status']['podIP']}:8010/load"]
    return bool(json.loads(models.namespace.cluster.run(*ask).stdout)["asleep"])
