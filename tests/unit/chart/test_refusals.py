from pathlib import Path

import pytest

from tests.unit.chart.helm import refused, template
from tests.unit.chart.objects import REGISTRY, Json, written

REFUSED: list[tuple[Json, str]] = [
    ({"replicas": 2}, "additional properties 'replicas' not allowed"),
    ({"operator": {"replica": 2}}, "additional properties 'replica' not allowed"),
    ({"operator": {"replicas": "2"}}, "got string, want integer"),
    ({"operator": {"replicas": -1}}, "minimum"),
    ({"operator": {"image": {"digest": "sha256:short"}}}, "does not match pattern"),
    ({"operator": {"image": {"tag": 1.5}}}, "got number, want string"),
    ({"operator": {"secretFiles": ["../up"]}}, "does not match pattern"),
    ({"registry": "registry.example.com/stoker/"}, "does not match pattern"),
    ({"registry": "https//registry.example.com bad"}, "does not match pattern"),
    ({"engineImages": {"vlm": {"repository": "vllm"}}}, "additional properties 'vlm' not allowed"),
    ({"engineImages": {"vllm": {"tag": "1"}}}, "missing property 'repository'"),
    ({"configuration": {"watchs": {}}}, "additional properties 'watchs' not allowed"),
    ({"configuration": {"watch": {"namespaces": "team-a"}}}, "got string, want array"),
    ({"configuration": {"engines": [{"image": "x"}]}}, "missing property 'name'"),
    ({"configuration": {"gpuProducts": [{"name": "H100", "selector": {}}]}}, "additional properties 'selector'"),
    ({"configuration": {"reconciling": {"workers": 0}}}, "minimum"),
    ({"configuration": {"weights": {"requests": {"cpu": 0.5}}}}, "got number"),
    ({"configuration": {"agent": {"keyFile": "/elsewhere"}}}, "additional properties 'keyFile' not allowed"),
    ({"configuration": {"probes": {"port": 0}}}, "minimum"),
    ({"networkPolicy": {"apiServerPorts": []}}, "minItems"),
    ({"crds": {"keep": "yes"}}, "got string, want boolean"),
]


@pytest.mark.parametrize(("values", "says"), REFUSED, ids=lambda value: str(value)[:60])
def test_wrong_values_are_refused_before_anything_is_made(values: Json, says: str, tmp_path: Path) -> None:
    assert says in refused("--values", written(values, tmp_path))


def test_without_a_registry_nothing_is_rendered_and_the_remedy_is_named() -> None:
    assert "--set registry=registry.example.com/stoker" in refused()


def test_what_charts_around_this_one_pass_to_all_is_no_unknown_value() -> None:
    assert template("--set", f"registry={REGISTRY},global.region=eu").returncode == 0
