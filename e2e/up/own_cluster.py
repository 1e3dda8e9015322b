"""A cluster on this machine, with everything on it."""

import os
import platform
from pathlib import Path

import yaml

from e2e.cluster import cluster as lifecycle
from e2e.cluster.cache import file_lock
from e2e.cluster.debian_packages import require_packages
from e2e.cluster.layout import DEFAULT_NAME, Layout, layout_of
from e2e.cluster.machine import CLUSTER_PACKAGES, require_root
from e2e.images.build import IMAGE_PACKAGES, ImageArchive
from e2e.up import release, stage
from e2e.up.forward import forwarded
from e2e.up.serving import Patience, model_in, serve, stream
from e2e.up.steps import Steps, detail, say
from e2e.up.target import ROOT, made_here

SAMPLE = ROOT / "e2e" / "up" / "tiny-llama.yaml"


def up(name: str, manifest: Path | None, patience: Patience) -> None:
    model = model_in(manifest or SAMPLE)
    require_root()
    layout = layout_of(name)
    steps = Steps(6)
    with steps.step(
        f"A Kubernetes of one node, cluster {name}", "the first time 10 to 15 minutes, in which it is built"
    ):
        require_packages({**CLUSTER_PACKAGES, **IMAGE_PACKAGES}, install=True)
        lifecycle.up(layout, lifecycle.kept_settings(layout), install=True)
    with file_lock(layout.state / "up.lock", f"another `make up` works on cluster {name}: waiting for it"):
        with steps.step("Images: the operator's, and vLLM for CPUs with Stoker's agent", "the first time some minutes"):
            operator, runtime = _image(layout, "operator"), _image(layout, "runtime")
        with steps.step("A stand-in for Hugging Face, since the cluster has no way out"):
            detail(f"{'started' if stage.ensure_hub(layout) else 'runs already'}: it serves models of a few megabytes")
        target = made_here(layout)
        with steps.step("Stoker: helm upgrade --install stoker charts/stoker"):
            changed = release.install(target, yaml.safe_dump(stage.chart_values(operator, runtime)))
            detail("two operators are Ready" if changed else "installed already, with this chart and these values")
        with steps.step(f"A model: kubectl apply -f {model.shown}", "weights are fetched, verified, loaded"):
            serve(target, model, patience)
        note = "nobody trained it, so its words mean nothing" if model.manifest == SAMPLE else ""
        with (
            steps.step("A chat completion, streamed through the model's Service", note),
            forwarded(target, model.name) as url,
        ):
            stream(target, model, url)
    say(f"\nTook, on {_machine()}:")
    say("\n".join(steps.figures()))
    say(_next_steps(layout, model.name))


def _image(layout: Layout, name: str) -> ImageArchive:
    image, imported = stage.bring_image(layout, name)
    detail(f"{name}: {'imported' if imported else 'there already'}, {image.path.stat().st_size / 1e6:.0f} MB")
    return image


def _machine() -> str:
    memory_kib = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{os.cpu_count()} cores, {memory_kib / 2**20:.0f} GiB, Linux {platform.release()}"


def _next_steps(layout: Layout, model: str) -> str:
    named = "" if layout.name == DEFAULT_NAME else f" --name {layout.name}"
    down = "make down" if not named else f".venv/bin/python -m e2e.cluster down{named}"
    return f"""
{model} serves. What to do next:

  .venv/bin/python -m e2e.cluster exec{named} -- bash
      a shell in the cluster's network, with kubectl, helm and stoker; in it:
        stoker status                 all models on one screen
        stoker explain {model:<14} why it is as it is
        stoker top                    the same, live
        kubectl scale mdep/{model} --replicas=2
  docs/quickstart.md#3-serve goes on in that shell
  {down} removes all of it
"""
