"""What a cluster without a way out needs: images, and a stand-in for Hugging Face with tiny models."""

import shutil
import sys
import time
from pathlib import Path
from typing import Any

from e2e.cluster.cluster import ensure
from e2e.cluster.components import Component
from e2e.cluster.images import import_archive
from e2e.cluster.layout import NODE_IP, Layout
from e2e.cluster.namespace import require_anchor, run_inside
from e2e.cluster.refusal import Refusal
from e2e.images.build import ImageArchive, build
from e2e.models.build import build as build_model
from e2e.up.target import ROOT

HUB = "hub"
_HUB_URL = f"http://{NODE_IP}:8900"
_HUB_SECONDS = 60
_TINY = Path("stoker") / "tiny-llama"
_QUICKSTART = Path("Qwen") / "Qwen2.5-0.5B-Instruct-GGUF"
_QUICKSTART_FILE = "qwen2.5-0.5b-instruct-q4_k_m.gguf"
# vLLM on few processors: one process, and nothing that would have to be compiled first.
_ON_CPUS = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}
Json = dict[str, Any]


def bring_image(layout: Layout, name: str) -> tuple[ImageArchive, bool]:
    """Built and imported as far as it is not; says whether it had to be imported."""
    image = build(name)
    return image, import_archive(layout, image.path, image.reference)


def image_values(operator: ImageArchive, runtime: ImageArchive) -> Json:
    """Where the images are, in the words of the chart's values."""
    registry, _, tag = operator.reference.rpartition("/operator:")
    repository, _, runtime_tag = runtime.reference.removeprefix(f"{registry}/").rpartition(":")
    return {
        "registry": registry,
        "operator": {"image": {"tag": tag}},
        "runtime": {"image": {"repository": repository, "tag": runtime_tag}},
    }


def chart_values(operator: ImageArchive, runtime: ImageArchive) -> Json:
    """With the hub in place of Hugging Face, and vLLM told that it has no GPU."""
    configuration = {
        "engines": [{"name": "vllm", "env": _ON_CPUS}],
        "weights": {"env": {"HF_ENDPOINT": _HUB_URL}},
    }
    return {**image_values(operator, runtime), "configuration": configuration}


def ensure_hub(layout: Layout) -> bool:
    """A process of the cluster's, which ends with it; says whether it had to be started."""
    folder = layout.state / HUB
    if not folder.exists():
        _write_models(folder)
    serve = ("-m", "tests.servers", "hub", "--folder", str(folder), "--host", NODE_IP, "--port", "8900")
    hub = Component(HUB, ["env", f"PYTHONPATH={ROOT}", sys.executable, *serve])
    started = ensure(layout, require_anchor(layout), hub)
    deadline = time.monotonic() + _HUB_SECONDS
    while (
        run_inside(layout, ["busybox", "wget", "-qO-", f"{_HUB_URL}/{_TINY}/resolve/main/config.json"]).returncode != 0
    ):
        if time.monotonic() > deadline:
            raise Refusal(
                f"the stand-in for Hugging Face does not answer within {_HUB_SECONDS} s: see {layout.log(HUB)}"
            )
        time.sleep(0.1)
    return started


def _write_models(folder: Path) -> None:
    """All of them or none, whenever this is interrupted."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    build_model("tiny-llama", partial / _TINY)
    files = build_model("tiny-llama-gguf", partial / _QUICKSTART)
    (model,) = (path for path in files if path.suffix == ".gguf")
    model.rename(model.with_name(_QUICKSTART_FILE))
    partial.rename(folder)
