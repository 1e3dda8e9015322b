"""`stoker plan`, which asks the operator's own planner."""

import json
from pathlib import Path

import pytest

from stoker.cli.__main__ import main

MANIFEST = """
apiVersion: stoker.dev/v1alpha1
kind: ModelDeployment
metadata: {name: llama}
spec:
  model: {source: pvc://weights/llama}
  engine: {name: custom, image: registry.example.com/server:1}
  replicas: 2
  scaling: {maxReplicas: 4}
"""


def planned(tmp_path: Path, text: str, *more: str) -> int:
    file = tmp_path / "model.yaml"
    file.write_text(text)
    return main(["plan", "-f", str(file), *more])


def test_what_would_be_made_is_said_in_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(tmp_path, MANIFEST) == 0
    shown = capsys.readouterr().out
    assert "create Service llama" in shown
    assert "with 2 replicas" in shown


def test_what_nobody_knows_before_the_weights_are_read_is_said_to_follow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--set", "runtime.image=example.com/runtime:1")
    assert planned(tmp_path, MANIFEST.replace("pvc://weights/llama", "hf://a/b"), *flags) == 0
    first, then, _ = capsys.readouterr().out.splitlines()[1:]
    assert first.strip().startswith("create Job llama-inspect-")
    assert "by what this Job finds: fetch the weights" in then


def test_a_model_that_is_only_observed_gets_nothing_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    observed = (Path(__file__).parents[3] / "docs/examples/10-observe-another-tool.yaml").read_text(encoding="utf-8")
    assert planned(tmp_path, observed) == 0
    assert capsys.readouterr().out.splitlines()[1] == "  make nothing"


def test_the_objects_themselves_are_shown_as_yaml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(tmp_path, MANIFEST, "-o", "yaml") == 0
    assert "kind: ReplicaSet" in capsys.readouterr().out


def test_sentences_and_objects_are_told_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert planned(tmp_path, MANIFEST, "-o", "json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["name"], told["blocked"]) == ("llama", None)
    assert "create Service llama" in told["would"]
    assert "ReplicaSet" in {body["kind"] for body in told["objects"]}


def test_why_nothing_would_be_made_stands_beside_the_yaml(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without_image = MANIFEST.replace(", image: registry.example.com/server:1", "").replace("custom", "simulated")
    assert planned(tmp_path, without_image, "-o", "yaml") == 1
    streams = capsys.readouterr()
    assert (streams.out, "NoEngineImage" in streams.err) == ("", True)


def test_what_the_operator_would_refuse_is_the_answer_no(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without_image = MANIFEST.replace(", image: registry.example.com/server:1", "").replace("custom", "simulated")
    assert planned(tmp_path, without_image) == 1
    assert "NoEngineImage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MANIFEST.replace("replicas: 2", "replicas: 9"), "replicas 9 is above scaling.maxReplicas 4"),
        (MANIFEST.replace("kind: ModelDeployment", "kind: Pod"), "kind"),
        ("{", "is no YAML"),
        ("", "holds no ModelDeployment"),
        ("- a list", "holds no ModelDeployment"),
    ],
)
def test_a_manifest_that_is_wrong_is_said_to_its_author(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    assert planned(tmp_path, text) == 2
    assert expected in capsys.readouterr().err
