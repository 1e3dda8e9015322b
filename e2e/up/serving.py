"""A ModelDeployment, from its manifest to Ready."""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.cluster.refusal import Refusal
from e2e.up.steps import detail, say
from e2e.up.target import ROOT, Target, last_words
from stoker.cli.fleet.seen import seen
from stoker.cli.fleet.why import Mood, Why, why

# An order that cannot be carried out may still be one that the operator has not looked at again.
_WRONG_SECONDS = 30
_POLL_SECONDS = 1
_EVENTS = 12
_SOON = "--request-timeout=15s"
_PROMPT = "Say hello."
_EXAMPLES = ROOT / "docs" / "examples"
Json = dict[str, Any]


@dataclass(frozen=True)
class Model:
    manifest: Path
    name: str
    served_name: str

    @property
    def shown(self) -> Path:
        return self.manifest.relative_to(ROOT) if self.manifest.is_relative_to(ROOT) else self.manifest


def model_in(manifest: Path) -> Model:
    try:
        found = yaml.safe_load(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Refusal(f"{manifest}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict) or found.get("kind") != "ModelDeployment":
        raise Refusal(
            f"{manifest}: it holds no single ModelDeployment: give a file such as docs/examples/01-smallest.yaml"
        )
    try:
        name = str(found["metadata"]["name"])
        served_name = str(found["spec"]["model"].get("servedName") or name)
    except (KeyError, TypeError, AttributeError) as error:
        raise Refusal(
            f"{manifest}: metadata.name or spec.model is missing: see docs/examples/01-smallest.yaml"
        ) from error
    return Model(manifest.resolve(), name, served_name)


def sample_for(target: Target) -> Path:
    """On a cluster that exists: a small real model where there is a GPU, else the simulated engine."""
    nodes = target.run(*target.kubectl, "get", "nodes", "--output=json")
    if nodes.returncode != 0:
        detail("its nodes may not be read, so the sample is one that needs no GPU; MODEL=file chooses another")
        return _EXAMPLES / "11-without-a-gpu.yaml"
    if has_gpus(json.loads(nodes.stdout)["items"]):
        detail("it has GPUs, so the sample is a small model on one of them; MODEL=file chooses another")
        return _EXAMPLES / "01-smallest.yaml"
    detail("it has no GPU, so the sample's engine is the simulated one; MODEL=file chooses another")
    return _EXAMPLES / "11-without-a-gpu.yaml"


def has_gpus(nodes: list[Json]) -> bool:
    """Whether a pod could get one of NVIDIA's."""
    found = (node.get("status", {}).get("allocatable", {}).get("nvidia.com/gpu", "0") for node in nodes)
    return any(count not in ("", "0") for count in found)


@dataclass
class Patience:
    """How long a model may take, and how long it may be in a state that somebody has to mend."""

    longest_seconds: float
    wrong_since_seconds: float | None = None

    def is_over(self, seconds: float, mood: Mood) -> bool:
        if mood is not Mood.WRONG:
            self.wrong_since_seconds = None
        elif self.wrong_since_seconds is None:
            self.wrong_since_seconds = seconds
        wrong = self.wrong_since_seconds
        return seconds > self.longest_seconds or (wrong is not None and seconds - wrong > _WRONG_SECONDS)


def serve(target: Target, model: Model, patience: Patience) -> None:
    """Applied and Ready, or a refusal after what `stoker explain` and the pods' events say."""
    detail(target.ask("apply", f"--filename={model.manifest}").strip())
    began = time.monotonic()
    told = ""
    while (now := _state(target, model)) is not None:
        seconds = time.monotonic() - began
        if now.message != told:
            say(f"  {seconds:5.1f} s  {now.message}")
            told = now.message
        if patience.is_over(seconds, now.mood):
            explain(target, model)
            raise Refusal(
                f"{model.name} is not Ready after {seconds:.0f} s, and the lines above say why; it is left as it is,"
                " so that running this again waits on"
            )
        time.sleep(_POLL_SECONDS)


def _state(target: Target, model: Model) -> Why | None:
    """None once it is Ready."""
    answer = target.run(*target.kubectl, "get", f"modeldeployment/{model.name}", "--output=json", _SOON)
    if answer.returncode != 0:  # the next look may succeed
        return Why(Mood.UNDER_WAY, "NotSeen", f"the API server does not tell: {last_words(answer)}")
    found = seen(json.loads(answer.stdout))
    return None if found.is_ready else why(found)


def explain(target: Target, model: Model) -> None:
    """For a person; what cannot be had is left out."""
    context = ("--context", target.context) if target.context else ()
    said = target.run(sys.executable, "-m", "stoker.cli", "explain", model.name, *context)
    say(said.stdout or said.stderr)
    selected = (f"--selector=stoker.dev/model={model.name}", "--output=wide")
    say(target.run(*target.kubectl, "get", "pods", *selected).stdout)
    events = target.run(
        *target.kubectl, "get", "events", "--sort-by=.lastTimestamp", "--field-selector=involvedObject.kind=Pod"
    )
    own = [line for line in events.stdout.splitlines() if f"pod/{model.name}-" in line]
    say("\n".join(own[-_EVENTS:]))


def stream(target: Target, model: Model, url: str) -> None:
    """Printed as it comes, by a process in the cluster's network."""
    command = (sys.executable, "-m", "e2e.up.chat", f"{url}/v1", model.served_name, _PROMPT)
    if target.show(*command) != 0:
        explain(target, model)
        raise Refusal(f"{model.name} is Ready, and its answer did not stream: the lines above say more")
