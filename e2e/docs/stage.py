"""What the quickstart finds in a cluster without a way out: images, and a stand-in for Hugging Face."""

import shutil
import sys
from pathlib import Path
from typing import Any

from e2e.cluster.binaries import HELM, KUBE
from e2e.cluster.build import built
from e2e.cluster.images import import_archive
from e2e.cluster.layout import NODE_IP, Layout
from e2e.cluster.namespace import tool_prefix
from e2e.images.build import build
from e2e.models.build import build as build_model

_HUB_PORT = 8900
_REPOSITORY = Path("Qwen") / "Qwen2.5-0.5B-Instruct-GGUF"
_FILE = "qwen2.5-0.5b-instruct-q4_k_m.gguf"
Json = dict[str, Any]


def prepare(layout: Layout) -> Json:
    """Imports the images, and says where they are in the words of the chart's values."""
    images = {name: build(name) for name in ("operator", "simulated")}
    for image in images.values():
        import_archive(layout, image.path, image.reference)
    registry, _, tag = images["operator"].reference.rpartition("/operator:")
    runtime_tag = images["simulated"].reference.rpartition(":")[2]
    return {
        "registry": registry,
        "operator": {"image": {"tag": tag}},
        # It fetches, inspects and is the agent, as the runtime image does, without vLLM's gigabyte.
        "runtime": {"image": {"repository": "simulated", "tag": runtime_tag}},
        "configuration": {"weights": {"env": {"HF_ENDPOINT": f"http://{NODE_IP}:{_HUB_PORT}"}}},
    }


def hub_command(layout: Layout, folder: Path) -> list[str]:
    """Serves a tiny model under the name of the quickstart's."""
    shutil.rmtree(folder, ignore_errors=True)
    files = build_model("tiny-llama-gguf", folder / _REPOSITORY)
    (model,) = (path for path in files if path.suffix == ".gguf")
    model.rename(model.with_name(_FILE))
    serve = ("-m", "tests.servers", "hub", "--folder", str(folder), "--host", NODE_IP, "--port", str(_HUB_PORT))
    return [*tool_prefix(layout), sys.executable, *serve]


def search_path(before: str) -> str:
    """With the kubectl and helm that the cluster was built with."""
    tools = built([KUBE, HELM])
    return f"{tools['kube']}:{tools['helm']}:{before}"
