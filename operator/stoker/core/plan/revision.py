"""What makes a revision: the user's own input, hashed; and what was rendered for it, kept.

    name = first ten digits of sha256(canonical JSON of the fields whose edit makes a new revision)

Fields that hold their default are left out, so that a field that a later version adds changes no name. What the
operator adds (its own defaults, another way to render) is no part of the hash: it is kept with the revision when the
revision is made, and used word for word from then on. So an operator upgrade restarts nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from stoker.api.declaration import ApiModel, Effect
from stoker.api.fields import fields_of
from stoker.api.v1alpha1.modeldeployment import GROUP, KIND, VERSION, ModelDeployment, Spec
from stoker.core.found import Found
from stoker.core.names import RESTARTED_AT, identity_labels, replica_set_name
from stoker.core.plan.snapshot import Revision

Json = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """What a revision's pods are, as it was decided when the revision was made."""

    name: str
    template: Mapping[str, Any]  # of the pod that serves
    input: Mapping[str, Any]
    worker: Mapping[str, Any] | None = None  # None: a replica is one pod
    pods: int = 1  # of one replica
    found: Found | None = None  # the weights that it was made with; None: they were not looked at


@cache
def _left_out(
    model: type[ApiModel], inherited: Effect
) -> tuple[tuple[str, ...], tuple[tuple[str, type[ApiModel]], ...]]:
    """The aliases below a model that are no part of a revision, and those that have to be looked into."""
    out, inner = [], []
    for field in fields_of(model):
        effect = field.effect or inherited
        if field.shape.model:
            inner.append((field.alias, field.shape.model))
        elif effect is not Effect.REVISION:
            out.append(field.alias)
    return tuple(out), tuple(inner)


def revision_input(deployment: ModelDeployment) -> Json:
    """The fields of the spec that make a revision, where they differ from their defaults."""
    written = deployment.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    chosen = _chosen(written, Spec, Effect.LIVE)
    if restarted_at := deployment.metadata.annotations.get(RESTARTED_AT):
        chosen["restartedAt"] = restarted_at
    return chosen


def _chosen(written: Json, model: type[ApiModel], inherited: Effect) -> Json:
    out, inner = _left_out(model, inherited)
    models = dict(inner)
    effects = {field.alias: field.effect or inherited for field in fields_of(model)}
    chosen = {}
    for alias, value in written.items():
        if alias in models:
            value = _chosen(value, models[alias], effects[alias])  # noqa: PLW2901 - what is left of it
            if not value:
                continue
        elif alias in out:
            continue
        chosen[alias] = value
    return chosen


def revision_name(revision_input: Mapping[str, Any]) -> str:
    canonical = json.dumps(revision_input, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:10]


def read(revision: Revision) -> Rendered:
    data = json.loads(revision.data)
    found = data.get("weights")
    return Rendered(
        revision.name,
        data["template"],
        data["input"],
        data.get("worker"),
        data.get("pods", 1),
        Found.from_json(found) if found else None,
    )


def controller_revision(deployment: ModelDeployment, rendered: Rendered, number: int, operator_version: str) -> Json:
    """The object that keeps a revision."""
    name = deployment.metadata.name
    data: Json = {"input": rendered.input, "template": rendered.template, "operator": operator_version}
    if rendered.worker is not None:
        data |= {"worker": rendered.worker, "pods": rendered.pods}
    if rendered.found is not None:
        data |= {"weights": rendered.found.to_json()}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": replica_set_name(name, rendered.name),
            "namespace": deployment.metadata.namespace,
            "labels": identity_labels(name) | {"stoker.dev/revision": rendered.name},
            "ownerReferences": [owner_reference(deployment)],
        },
        "revision": number,
        "data": data,
    }


def owner_reference(deployment: ModelDeployment) -> Json:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": deployment.metadata.name,
        "uid": deployment.metadata.uid,
        "controller": True,
        # Nobody has to wait for a child before the ModelDeployment itself may go.
        "blockOwnerDeletion": False,
    }
