"""What `stoker images` lists."""

import io
import json
from pathlib import Path

import pytest
import yaml

from stoker.cli.__main__ import main

PUBLISHED = "docker.io/vllm/vllm-openai:v0.31.0@sha256:c1c9f6fd5c109ba7f0546a59f5b2f15fb87f64c77782e90a27b648b42a8e67c3"
RENDERED = """
apiVersion: v1
kind: ConfigMap
metadata: {name: stoker-operator}
data:
  configuration.yaml: |
    runtime: {image: registry.example.com/stoker/runtime:1}
    engines: [{name: llamacpp, image: registry.example.com/stoker/llama.cpp:b1}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: stoker-operator}
spec:
  template:
    spec:
      initContainers: [{name: a, image: registry.example.com/stoker/operator:1}]
      containers: [{name: b, image: registry.example.com/stoker/operator:1}]
"""
MODEL = {
    "kind": "ModelDeployment",
    "metadata": {"name": "web"},
    "spec": {
        "engine": {"name": "sglang"},
        "template": {"spec": {"containers": [{"name": "log", "image": "docker.io/log/shipper:2"}]}},
    },
}


@pytest.fixture(autouse=True)
def no_configuration_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOKER_CONFIG", raising=False)


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, list[str]]:
    assert main(["images", "-o", "json", *arguments]) == 0
    return {one["image"]: one["uses"] for one in json.loads(capsys.readouterr().out)["wanted"]}


def test_without_a_configuration_it_is_the_published_image_of_the_first_engine(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert listed(capsys) == {PUBLISHED: ["engine vllm"]}


def test_the_runtime_image_stands_for_the_engines_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys, "--set", "runtime.image=registry.example.com/runtime:1", "--engines", "vllm,llamacpp")
    assert found["registry.example.com/runtime:1"] == ["fetching weights, agents, vllm"]
    assert [uses for image, uses in found.items() if "llama.cpp" in image] == [["engine llamacpp"]]
    assert len(found) == 2


def test_what_helm_renders_has_the_operator_and_its_configuration(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(RENDERED))
    assert listed(capsys, "-f", "-") == {
        "registry.example.com/stoker/llama.cpp:b1": ["engine llamacpp"],
        "registry.example.com/stoker/operator:1": ["Deployment stoker-operator"],
        "registry.example.com/stoker/runtime:1": ["fetching weights, agents"],
    }


def test_models_bring_their_engines_and_the_images_of_their_templates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.yaml"
    file.write_text(yaml.safe_dump(MODEL), encoding="utf-8")
    found = listed(capsys, "-f", str(file))
    assert found["docker.io/log/shipper:2"] == ["ModelDeployment web"]
    assert ["engine sglang"] in found.values()


def test_the_names_alone_can_be_piped(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "-o", "name", "--engines", "vllm"]) == 0
    assert capsys.readouterr().out == f"{PUBLISHED}\n"


def test_an_engine_without_an_image_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", "--engines", "bentoml"]) == 0
    assert "engine bentoml: no image is known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--engines", "vlm"], "--engines vlm: there is none: choose of vllm,"),
        (["-f", "/nowhere.yaml"], "/nowhere.yaml: No such file or directory: give the path of a manifest"),
    ],
)
def test_what_cannot_be_used_is_said(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["images", *arguments]) == 2
    assert sentence in capsys.readouterr().err
