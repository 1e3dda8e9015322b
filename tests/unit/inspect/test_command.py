"""`inspect` as a Job runs it: a task in the environment, an answer in a file, an exit code."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoker_runtime.facts import Facts
from stoker_runtime.failure import Reason
from stoker_runtime.fetch.manifest import Manifest, ManifestFile, write_manifest
from stoker_runtime.inspect.command import main
from stoker_runtime.inspect.task import InspectTask
from tests.servers.contents import in_folder
from tests.servers.faults import Fault
from tests.servers.hub import Hub
from tests.servers.serving import Running
from tests.unit.inspect.made import config, llama_tensors, write_shards


@pytest.fixture
def model(tmp_path: Path) -> Path:
    value = config("smollm2-135m", num_hidden_layers=4, vocab_size=1000)
    tensors = llama_tensors(value)
    return write_shards(tmp_path / "claim" / "model", value, [tensors[:20], tensors[20:]])


@pytest.fixture
def hub(model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    served = Hub()
    served.push("org/model", in_folder(model))
    with Running(served) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("NO_PROXY", "*")
        yield running


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Any, *more: str) -> tuple[int, dict[str, Any]]:
    monkeypatch.setenv("STOKER_TASK", task if isinstance(task, str) else json.dumps(task))
    result = tmp_path / "result"
    code = main(["--result", str(result), *more])
    told: dict[str, Any] = json.loads(result.read_text())
    assert told["ok"] is (code == 0)
    return code, told


def test_a_model_of_a_hub_is_told_with_the_folder_that_it_will_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Running
) -> None:
    code, told = run(tmp_path, monkeypatch, {"source": "hf://org/model@main"})
    assert code == 0
    facts = Facts.from_json(told["facts"])
    assert (facts.layers, facts.weight_bytes) == (4, 2 * facts.parameters)
    assert told["folder"].startswith(f"hf-org-model-{told['revision'][:12]}-")
    assert told["files"] == 4
    assert told["totalBytes"] > facts.weight_bytes
    assert hub.faults.sent_bytes("*") < 1_000_000


def test_the_same_question_has_the_same_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Running) -> None:
    assert hub.port
    task = {"source": "hf://org/model@main"}
    assert run(tmp_path, monkeypatch, task) == run(tmp_path, monkeypatch, task)


def test_a_final_failure_is_told_apart_from_one_that_may_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Running
) -> None:
    hub.faults.add(Fault(status=404), path="*/config.json")
    code, told = run(tmp_path, monkeypatch, {"source": "hf://org/model@main"})
    assert (code, told["reason"]) == (3, Reason.NOT_FOUND)


def test_a_claim_is_read_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    code, told = run(tmp_path, monkeypatch, {"source": "pvc://shared/model@v1"}, "--mounted", str(model.parent))
    assert (code, told["facts"]["layers"]) == (0, 4)


def test_a_claim_with_a_damaged_shard_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path) -> None:
    with (model / "model-00002-of-00002.safetensors").open("r+b") as shard:
        shard.truncate(5000)
    code, told = run(tmp_path, monkeypatch, {"source": "pvc://shared/model"}, "--mounted", str(model.parent))
    assert (code, told["reason"]) == (3, Reason.UNREADABLE)
    assert "model-00002-of-00002.safetensors" in told["message"]


def test_a_folder_that_stoker_published_must_be_what_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    listed = (ManifestFile("tokenizer.json", 1000, "0" * 64),)
    write_manifest(model, Manifest("hf://org/model", "abc", listed, "2026-11-21T00:00:00Z"))
    (model / "tokenizer.json").write_text("{}")
    code, told = run(tmp_path, monkeypatch, {"source": "pvc://shared/model"}, "--mounted", str(model.parent))
    assert (code, told["reason"]) == (3, Reason.SIZE_MISMATCH)
    assert "tokenizer.json" in told["message"]


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("", "JSON"),
        ("[]", "object"),
        ({}, "source"),
        ({"source": "hf://a/b", "include": "*"}, "include"),
        ({"source": "hf://a/b", "formats": ["onnx"]}, "onnx"),
        ({"source": "hf://a/b", "allowCode": "yes"}, "allowCode"),
    ],
)
def test_a_task_that_cannot_be_read_names_its_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: Any, names: str
) -> None:
    code, told = run(tmp_path, monkeypatch, task)
    assert (code, told["reason"]) == (2, "InvalidTask")
    assert names in told["message"]


def test_a_defect_is_retried_and_tells_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(task: InspectTask, *_: object) -> Any:
        raise RuntimeError(f"token of {task.source}")

    monkeypatch.setenv("STOKER_TASK", '{"source": "hf://org/secret"}')
    assert main(["--result", str(tmp_path / "result")], broken) == 1
    assert "secret" not in (tmp_path / "result").read_text()
    assert "RuntimeError at test_command.py" in (tmp_path / "result").read_text()


def test_a_result_that_cannot_be_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOKER_TASK", '{"source": "pvc://shared/model"}')
    code = main(["--result", str(tmp_path / "no" / "result"), "--mounted", str(model.parent)])
    assert code == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ok"]
    assert "cannot be written" in printed.err
