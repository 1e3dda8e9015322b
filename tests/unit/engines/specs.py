"""Specs and mounted models, with the small good one as the base."""

from typing import Any

from stoker.api.parsing import parse_file
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.engine import BEHIND_THE_AGENT, MountedModel, Refusal, Server
from stoker.engines import PROFILES

IMAGE = "registry.example.com/engine:1"


def spec(engine: str, **changes: Any) -> Spec:
    """Fields of spec.engine by their names in the API; those of other parts by the part's name."""
    parts = {name: changes.pop(name) for name in ("model", "accelerator", "scaling", "drain") if name in changes}
    written = {
        "apiVersion": "stoker.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": "llama-8b", "namespace": "models"},
        "spec": {
            "model": {"source": "hf://meta-llama/Llama-3.1-8B-Instruct"} | parts.get("model", {}),
            "engine": {"name": engine, "image": IMAGE} | changes,
            "scaling": {"maxReplicas": 4} | parts.get("scaling", {}),
            "accelerator": parts.get("accelerator", {}),
            "drain": parts.get("drain", {}),
        },
    }
    return parse_file(written).spec


def mounted(**changes: Any) -> MountedModel:
    values: dict[str, Any] = {"served_name": "llama-8b", "path": "/mnt/weights/abc", "listen": BEHIND_THE_AGENT}
    return MountedModel(**values | changes)


def server(engine: str, mount: MountedModel | None = None, /, **changes: Any) -> Server:
    made = PROFILES[engine].server(spec(engine, **changes), mount or mounted())
    assert isinstance(made, Server), made
    return made


def refusal(engine: str, mount: MountedModel | None = None, /, **changes: Any) -> str:
    made = PROFILES[engine].server(spec(engine, **changes), mount or mounted())
    assert isinstance(made, Refusal), made
    return made.message
