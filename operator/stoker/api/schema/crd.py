"""The CustomResourceDefinition as a whole."""

from typing import Any

import yaml

from stoker.api.fields import fields_of
from stoker.api.schema import docstrings
from stoker.api.schema.structural import default_of, object_schema, rules_of
from stoker.api.v1alpha1.modeldeployment import GROUP, KIND, VERSION, ModelDeployment, Spec
from stoker.api.v1alpha1.status import Status

PLURAL = "modeldeployments"
HEADER = "# Generated from operator/stoker/api by `make generate`. Do not edit.\n"

_API_VERSION = "Version of this API: stoker.dev/v1alpha1."
_KIND = "Kind of this object: ModelDeployment."


def _column(name: str, kind: str, path: str, description: str, *, wide: bool = False) -> dict[str, Any]:
    column = {"name": name, "type": kind, "jsonPath": path, "description": description}
    return column | ({"priority": 1} if wide else {})


COLUMNS = (
    _column("Ready", "integer", ".status.readyReplicas", "Serving replicas that take traffic"),
    _column("Warm", "integer", ".status.warmReplicas", "Replicas that are loaded and kept off traffic"),
    _column("Desired", "integer", ".status.desiredReplicas", "Serving replicas that the traffic needs"),
    _column("Queue", "integer", ".status.waitingRequests", "Requests that wait; empty where nobody can tell"),
    _column("Model", "string", ".spec.model.source", "Where the weights come from"),
    _column("Status", "string", '.status.conditions[?(@.type=="Ready")].reason', "Why it is or is not ready"),
    _column("Engine", "string", ".spec.engine.name", "The model server", wide=True),
    _column("GPUs", "integer", ".status.accelerators", "Accelerators that all replicas hold", wide=True),
    _column("URL", "string", ".status.url", "Base address of the OpenAI API", wide=True),
    _column("Revision", "string", ".status.currentRevision", "Revision that serves", wide=True),
    _column("Age", "date", ".metadata.creationTimestamp", "Time since it was created"),
)


def _root_schema() -> dict[str, Any]:
    status = {"description": docstrings.of_model(Status)} | object_schema(Status)
    status_field = next(field for field in fields_of(ModelDeployment) if field.name == "status")
    status["default"] = default_of(status_field) or {}
    return {
        "description": docstrings.of_model(ModelDeployment),
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"description": _API_VERSION, "type": "string"},
            "kind": {"description": _KIND, "type": "string"},
            # The name is declared so that the rules about it can say that it is to blame.
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": {"description": docstrings.of_model(Spec)} | object_schema(Spec),
            "status": status,
        },
        "x-kubernetes-validations": rules_of(ModelDeployment),
    }


def custom_resource_definition() -> dict[str, Any]:
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": list(COLUMNS),
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "schema": {"openAPIV3Schema": _root_schema()},
    }
    names = {
        "kind": KIND,
        "listKind": f"{KIND}List",
        "plural": PLURAL,
        "singular": KIND.lower(),
        "shortNames": ["mdep"],
        "categories": ["stoker"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": names, "versions": [version]},
    }


class _Dumper(yaml.SafeDumper):
    """Plain YAML: no anchors, lists indented as kubectl prints them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def as_yaml(crd: dict[str, Any]) -> str:
    return HEADER + yaml.dump(crd, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
