"""Which model is served where nobody chose one."""

import pytest
import yaml

from e2e.up.own_cluster import SAMPLE
from e2e.up.serving import has_gpus, model_in
from stoker.api.parsing import parse_file


def node(**allocatable: str) -> dict[str, object]:
    return {"status": {"allocatable": allocatable}}


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node(cpu="4")], False),
        ([node(**{"nvidia.com/gpu": "0"})], False),
        ([node(cpu="4"), node(**{"nvidia.com/gpu": "8"})], True),
        ([], False),
        ([{}], False),
    ],
    ids=["no device", "none to be had", "one node of two", "no node", "a node that tells nothing"],
)
def test_a_gpu_is_one_that_a_pod_could_get(nodes: list[dict[str, object]], expected: bool) -> None:
    assert has_gpus(nodes) is expected


def test_the_sample_is_a_model_deployment_that_needs_no_gpu() -> None:
    parse_file(document := yaml.safe_load(SAMPLE.read_text()))
    assert document["spec"]["accelerator"]["count"] == 0
    assert model_in(SAMPLE).served_name == "tiny-llama"
