"""The command lines of vLLM's golden files, parsed by the vLLM of the runtime image: what `vllm serve` takes changes
with every version, so nothing but its own parser can tell."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.images import load_image
from e2e.conftest import own_namespace
from e2e.images.build import build as build_image
from e2e.running_cluster import RunningCluster, pod
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.engines.vllm import leader_arguments, worker_arguments
from tests.unit.engines.golden import CASES, engine_of, mounted_in
from tests.unit.engines.specs import spec

pytestmark = [pytest.mark.e2e, pytest.mark.vllm, pytest.mark.timeout(600)]

Settings = dict[str, Any]
PARSER = Path(__file__).with_name("parsed_by_vllm.py").read_text()
VLLM_CASES = [case for case in CASES if engine_of(case) == "vllm"]
TWO_PODS = "vllm-two-pods"
WORKER, UNKNOWN_FLAG = "the worker of two pods", "a flag that vLLM does not know"


def shown_by(case: str) -> Spec:
    """Arguments that a user adds stand for any, except those that say what the case is of."""
    return spec("vllm", **{name: value for name, value in CASES[case][0].items() if name != "args" or "lora" in case})


def command_lines() -> dict[str, tuple[str, ...]]:
    leaders = {case: leader_arguments(shown_by(case), mounted_in(case)) for case in VLLM_CASES}
    worker = worker_arguments(shown_by(TWO_PODS), mounted_in(TWO_PODS))
    return {**leaders, WORKER: worker, UNKNOWN_FLAG: ("/mnt/weights/abc", "--no-such-flag")}


def as_the_kubelet_fills_it(words: tuple[str, ...]) -> list[str]:
    return [word.replace("$(LWS_WORKER_INDEX)", "1").replace("$(LWS_LEADER_ADDRESS)", "a-0.a") for word in words]


@pytest.fixture(scope="module")
def parsed(cluster: RunningCluster) -> Iterator[dict[str, Settings]]:
    """What vLLM makes of each command line."""
    load_image(cluster.layout, "runtime")
    lines = command_lines()
    told = json.dumps([as_the_kubelet_fills_it(words) for words in lines.values()])
    container = {
        "image": build_image("runtime").reference,
        "command": ["python3", "-c", PARSER, told],
        "env": [{"name": "HOME", "value": "/tmp"}],
    }
    with own_namespace(cluster) as namespace:
        namespace.apply(pod("parser", container=container, restartPolicy="Never"))
        namespace.kubectl("wait", "pod/parser", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=180s")
        answers = json.loads(namespace.kubectl("logs", "parser").splitlines()[-1])
        yield dict(zip(lines, answers, strict=True))


@pytest.mark.parametrize("case", VLLM_CASES)
def test_vllm_takes_the_command_line_of_every_golden_file(case: str, parsed: dict[str, Settings]) -> None:
    asked, model, told = shown_by(case), mounted_in(case), parsed[case]
    assert "refused" not in told, told
    assert told["model_tag"] == model.path
    assert (told["host"], told["port"]) == (model.listen.host, model.listen.port)
    assert told["served_model_name"] == [model.served_name]
    assert told["shutdown_timeout"] == asked.drain.grace_seconds
    assert told["max_model_len"] == asked.engine.context_length
    assert told["tensor_parallel_size"] == asked.engine.tensor_parallel
    assert told["quantization"] == asked.engine.quantization


def test_leader_and_worker_are_ranks_of_one_group(parsed: dict[str, Settings]) -> None:
    leader, worker = parsed[TWO_PODS], parsed[WORKER]
    assert (leader["nnodes"], leader["node_rank"], leader["headless"]) == (2, 0, False)
    assert (worker["nnodes"], worker["node_rank"], worker["headless"]) == (2, 1, True)
    assert (leader["master_addr"], leader["master_port"]) == (worker["master_addr"], worker["master_port"])


def test_a_flag_that_vllm_does_not_know_is_refused(parsed: dict[str, Settings]) -> None:
    assert "--no-such-flag" in parsed[UNKNOWN_FLAG]["refused"]
