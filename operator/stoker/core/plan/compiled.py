"""Where what an engine compiled outlives its pod: beside the weights, on the claim that Stoker made for this model.

It is code that runs in the model's pods. So the folder is the model's own, a pod sees no other's, and what stands in it
is looked for by weights, image, devices and flags: (model, engine version, GPU, flags).
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from stoker.api.configuration import AgentPlace
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.core.engine import Server
from stoker.core.names import claim_name
from stoker.core.plan.weights import Weights

Json = dict[str, Any]

_PATH = "/mnt/compiled"


@dataclass(frozen=True)
class KeptCompiled:
    """One model's."""

    owner: str
    own_path: str  # where its engine works, of each pod's own
    key: str

    @property
    def mount(self) -> Json:
        return {"name": "weights", "mountPath": _PATH, "subPath": f".stoker/compiled/{self.owner}"}

    @property
    def arguments(self) -> tuple[str, ...]:
        """For the agent, which carries it to and fro."""
        return ("--compiled", self.own_path, "--compiled-kept", _PATH, "--compiled-key", self.key)


def kept_compiled(
    deployment: ModelDeployment, server: Server, weights: Weights, image: str, place: AgentPlace
) -> KeptCompiled | None:
    """None: nobody carries it, nothing is compiled, or the volume is not this model's alone."""
    metadata, accelerator = deployment.metadata, deployment.spec.accelerator
    own_claim = bool(weights.folder) and weights.claim == claim_name(metadata.name)
    if place is not AgentPlace.INSIDE or server.compiled_path is None or not own_claim:
        return None
    devices = [accelerator.resource_name, accelerator.count, sorted(accelerator.products)]
    made_of = json.dumps([weights.folder, image, devices, list(server.args)])
    key = hashlib.sha256(made_of.encode()).hexdigest()[:16]
    return KeptCompiled(f"{metadata.namespace}.{metadata.name}", server.compiled_path, key)
