"""From each kind of source to a published folder: the two commands of the image, one after the other, as the jobs run
them, against servers on loopback."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e.models.build import build as build_model
from tests.servers.contents import in_folder
from tests.servers.hub import Hub
from tests.servers.registry import Pushed, Registry
from tests.servers.s3 import S3, Bucket
from tests.servers.serving import Running
from tests.servers.zstd import zstd_frame

ROOT = Path(__file__).parents[3]
TITLE = "org.opencontainers.image.title"
KEY, SECRET = "AKIDEXAMPLE", "a/secret+with=signs"


@dataclass(frozen=True)
class Offer:
    """A model at a source, and what a job has to be told to reach it."""

    source: str
    environment: Mapping[str, str]
    published: frozenset[str]
    is_packed: bool = False  # so that other bytes come over the network than are published


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    build_model("tiny-llama-sharded", folder)
    return folder


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    build_model("tiny-llama-gguf", folder)
    return next(folder.glob("*.gguf"))


@contextmanager
def hub(model: Path) -> Iterator[Offer]:
    served = Hub()
    served.push("org/tiny", in_folder(model), private=True)
    served.accounts["hub-token"] = {"org/tiny"}
    with Running(served) as running:
        yield Offer("hf://org/tiny", {"HF_ENDPOINT": running.url, "HF_TOKEN": "hub-token"}, names(model))


@contextmanager
def bucket(model: Path) -> Iterator[Offer]:
    service = S3({KEY: SECRET})
    service.buckets["models"] = Bucket({f"tiny/{path}": content for path, content in in_folder(model).items()})
    with Running(service) as running:
        signed = {"AWS_ENDPOINT_URL": running.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        yield Offer("s3://models/tiny", signed | {"AWS_REGION": "us-east-1"}, names(model))


@contextmanager
def registry(model: Path) -> Iterator[Offer]:
    served = Registry()
    layers = [Pushed(content, "application/octet-stream", {TITLE: path}) for path, content in in_folder(model).items()]
    served.push("models/tiny", "v1", layers)
    with Running(served) as running:
        plain = {"STOKER_PLAIN_HTTP_HOSTS": running.authority}
        yield Offer(f"oci://{running.authority}/models/tiny:v1", plain, names(model))


@contextmanager
def image(model: Path, kind: str, compress: Callable[[bytes], bytes]) -> Iterator[Offer]:
    """As whoever builds an image around a model gets it: one layer, compressed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(model, "models")
    served = Registry()
    layer = Pushed(compress(buffer.getvalue()), f"application/vnd.oci.image.layer.v1.tar+{kind}")
    served.push("models/tiny", "v1", [layer])
    with Running(served) as running:
        plain = {"STOKER_PLAIN_HTTP_HOSTS": running.authority}
        yield Offer(f"oci://{running.authority}/models/tiny:v1", plain, names(model), is_packed=True)


def gzip_image(model: Path) -> AbstractContextManager[Offer]:
    return image(model, "gzip", gzip.compress)


def zstd_image(model: Path) -> AbstractContextManager[Offer]:
    return image(model, "zstd", zstd_frame)


@contextmanager
def ollama(gguf: Path) -> Iterator[Offer]:
    served = Registry()
    served.push("library/tiny", "latest", [Pushed(gguf, "application/vnd.ollama.image.model")])
    with Running(served) as running:
        plain = {"STOKER_PLAIN_HTTP_HOSTS": running.authority}
        yield Offer(f"ollama://{running.authority}/library/tiny", plain, frozenset({"tiny.gguf"}))


def names(folder: Path) -> frozenset[str]:
    return frozenset(in_folder(folder))


def run(command: str, task: Mapping[str, Any], offer: Offer, folder: Path, *arguments: str) -> dict[str, Any]:
    result = folder / f"{command}.json"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "stoker_runtime", command, "--result", str(result), *arguments],
        env={**inherited, **offer.environment, "STOKER_TASK": json.dumps(task)},
        cwd=ROOT / "runtime-image",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    answer: dict[str, Any] = json.loads(result.read_text())
    assert done.returncode == 0, (answer, done.stderr)
    assert SECRET not in done.stdout + done.stderr + result.read_text()
    return answer


@pytest.mark.parametrize(
    "place", [hub, bucket, registry, gzip_image, zstd_image, ollama], ids=lambda place: place.__name__
)
def test_what_is_inspected_is_what_is_fetched(place: Any, model: Path, gguf: Path, tmp_path: Path) -> None:
    with place(gguf if place is ollama else model) as offer:
        request = {"source": offer.source, "include": [], "exclude": [], "formats": ["gguf", "safetensors"]}
        seen = run("inspect", request, offer, tmp_path)
        volume = tmp_path / "volume"
        volume.mkdir()
        keep = {"revision": seen["revision"], "folder": seen["folder"], "owner": "team-a.tiny", "keep": []}
        got = run("fetch", request | keep, offer, tmp_path, "--root", str(volume))
        again = run("fetch", request | keep, offer, tmp_path, "--root", str(volume))
    published = {path.name for path in (volume / seen["folder"]).iterdir()} - {"manifest.json"}
    assert published == offer.published
    assert seen["facts"]["parameters"] == 1_443_072
    assert (got["revision"], got["bytes"]) == (seen["revision"], seen["totalBytes"])
    assert (got["fetchedBytes"] == seen["totalBytes"]) is not offer.is_packed
    assert again["fetchedBytes"] == 0
