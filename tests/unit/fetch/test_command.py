"""The command: a task in the environment, lines on stdout, a result in a file, and how it exits."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.command import MOST_RESULT_BYTES, Opened, main
from stoker_runtime.fetch.fetching import Fetching
from stoker_runtime.fetch.hosts import named_hosts
from stoker_runtime.fetch.progress import Progress, sentence
from stoker_runtime.fetch.source import RemoteFile
from stoker_runtime.fetch.task import Task
from stoker_runtime.fetch.volume import Volume
from stoker_runtime.fetch.web import HttpWeb
from stoker_runtime.task_fields import TaskError
from tests.unit.fetch.origin import served
from tests.unit.fetch.runs import LIMITS, QUICK, Place, is_published, listed

FILES = {"model.safetensors": b"weights" * 1000}
LISTED = [listed(path, data) for path, data in FILES.items()]
TASK: dict[str, Any] = {
    "source": "https://127.0.0.1/m?sig=secret",
    "revision": "r1",
    "folder": "m-r1",
    "include": [],
    "exclude": [],
    "formats": ["safetensors"],
    "allowPickle": False,
    "allowCode": False,
    "owner": "team-a.llama",
    "keep": [],
    "totalBytes": None,
}


class Ran:
    """One run of the command."""

    def __init__(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, address: str, error: Exception | None = None
    ) -> None:
        monkeypatch.setenv("STOKER_TASK", json.dumps(TASK))

        def opening(_: Task, __: HttpWeb, ___: Mapping[str, str]) -> Opened:
            if error:
                raise error
            return Opened(Place(address, LISTED), lambda files: files)

        result = root / "result"
        self.code = main(["--root", str(root / "models"), "--result", str(result)], opening, LIMITS)
        self.text = result.read_text()
        self.result = json.loads(self.text)


def test_it_tells_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with served(FILES) as origin:
        ran = Ran(tmp_path, monkeypatch, origin.address)
    assert ran.code == 0
    assert is_published(tmp_path / "models", FILES)
    assert ran.result.pop("seconds") >= 0
    assert ran.result == {
        "ok": True,
        "folder": "m-r1",
        "revision": "r1",
        "bytes": 7000,
        "files": 1,
        "fetchedBytes": 7000,
    }
    words, _, figures = capfd.readouterr().out.splitlines()[-1].partition(" {")
    assert words == "Published 6.8/6.8 KiB"
    assert json.loads("{" + figures).keys() == {"fetchedBytes", "totalBytes", "bytesPerSecond"}
    assert "secret" not in (tmp_path / "models" / "m-r1" / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (WeightsError(Reason.UNREACHABLE, "m"), 1, "SourceUnreachable"),
        (WeightsError(Reason.BUSY, "m"), 1, "WeightsBusy"),
        (WeightsError(Reason.DIGEST_MISMATCH, "m"), 3, "DigestMismatch"),
        (WeightsError(Reason.FORBIDDEN, "ü" * 5000), 3, "SourceForbidden"),
        (KeyError("secret"), 1, "Unexpected"),
    ],
)
def test_an_end_without_weights_has_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, reason: str
) -> None:
    ran = Ran(tmp_path, monkeypatch, "", error)
    assert (ran.code, ran.result["ok"], ran.result["reason"]) == (code, False, reason)
    assert "secret" not in ran.text
    assert len(ran.text.encode()) <= MOST_RESULT_BYTES


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": None}, "source is None"),
        ({"keep": "all"}, "keep is 'all'"),
        ({"allowCode": 1}, "allowCode is 1"),
        ({"totalBytes": -1}, "totalBytes is -1"),
        ({"formats": ["zip"]}, "formats has 'zip'"),
    ],
)
def test_a_task_that_cannot_be_read_names_the_field(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(TaskError, match=says):
        Task.from_json(json.dumps({**TASK, **changes}))


def test_a_missing_task_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STOKER_TASK", raising=False)
    assert main(["--root", str(tmp_path), "--result", str(tmp_path / "result")]) == 2
    assert "STOKER_TASK is no JSON" in (tmp_path / "result").read_text()


@pytest.mark.parametrize(
    ("source", "environment", "hosts"),
    [
        ("https://models.inner:8443/a/b", {}, {"models.inner"}),
        ("oci://registry.inner:5000/a/b:v1", {}, {"registry.inner"}),
        ("ollama://qwen2.5:7b", {}, set()),
        ("ollama://inner.example/a/b", {}, {"inner.example"}),
        ("hf://a/b", {"HF_ENDPOINT": "http://hub.inner:8080/x"}, {"hub.inner"}),
        ("s3://a/b", {"AWS_ENDPOINT_URL": "http://[fd00::1]:9000"}, {"fd00::1"}),
    ],
)
def test_named_are_the_hosts_of_the_source_and_of_its_endpoint(
    source: str, environment: dict[str, str], hosts: set[str]
) -> None:
    assert named_hosts(source, environment) == hosts


def test_progress_is_a_sentence_and_figures() -> None:
    now = [0.0]
    progress = Progress(total_bytes=16 << 30, state="Downloading", clock=lambda: now[0])
    progress.line()
    now[0] = 10
    progress.found(9 << 30)
    progress.arrived(3 << 30)
    words, figures = progress.line().split(" {")
    assert words == "Downloading 12.0/16.0 GiB, 307 MiB/s, 13 s left"
    assert json.loads("{" + figures) == {
        "fetchedBytes": 12 << 30,
        "totalBytes": 16 << 30,
        "bytesPerSecond": round((3 << 30) / 10),
    }
    assert sentence("Listing", 0, None, 0) == "Listing"
    assert sentence("Downloading", 5 << 20, None, 1024) == "Downloading 5.0 MiB, 1.0 KiB/s"


def test_layers_that_are_archives_are_unpacked_and_chosen_from(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in {"models/model.safetensors": b"w" * 100, "models/evil.py": b"", "etc/x": b""}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    files = {"layer.tar": packed.getvalue(), "config.json": b"{}"}

    def wanted(found: Any) -> list[RemoteFile]:
        return [file for file in found if not file.path.endswith(".py")]

    with served(files) as origin:
        source = Place(origin.address, [listed(path, data) for path, data in files.items()])
        web = HttpWeb(frozenset({"127.0.0.1"}), times=QUICK, environment={})
        task = Task("oci://127.0.0.1/m", "m-r1", "a.b", "r1")
        prefixes = {"layer.tar": "models/"}
        run = Fetching(task, Volume(tmp_path), source, wanted, web, LIMITS, lambda file: prefixes.get(file.path))
        run.run()
        run.close()
    assert is_published(tmp_path, {"model.safetensors": b"w" * 100, "config.json": b"{}"})
    assert {path.name for path in (tmp_path / "m-r1").iterdir()} == {
        "model.safetensors",
        "config.json",
        "manifest.json",
    }
