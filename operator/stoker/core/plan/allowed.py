"""Whether the operator's configuration allows what a spec asks for. Who may edit a ModelDeployment may create pods."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from stoker.api.configuration import Allowed
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.api.v1alpha1.reason import Reason
from stoker.core.engine import Refusal
from stoker.core.names import SERVER_CONTAINER
from stoker.core.plan.strategic_merge import InvalidPatch, changed_paths

_SERVER = f"spec.containers[{SERVER_CONTAINER}]"
# A patch of these as a whole exchanges or removes the server too.
_AROUND_THE_SERVER = ("", "metadata", "spec", "spec.containers")


def refusal_of(spec: Spec, image: str, allowed: Allowed) -> Refusal | None:
    """The first thing that is not allowed, or None."""
    try:
        return next(_refusals(spec, image, allowed), None)
    except InvalidPatch as invalid:
        return Refusal(Reason.INVALID_TEMPLATE, f"spec.template.{invalid}")


def _refusals(spec: Spec, image: str, allowed: Allowed) -> Iterator[Refusal]:
    source = str(spec.model.source)
    if not matches(source, allowed.sources):
        yield _not_allowed("spec.model.source", source, "sources")
    if spec.model.trust_remote_code and not matches(source, allowed.remote_code):
        yield _not_allowed("spec.model.trustRemoteCode of", source, "remoteCode")
    if not matches(image, allowed.images):
        yield _not_allowed("the engine's image", image, "images")
    for argument in spec.engine.args:
        if not matches(argument, allowed.args):
            yield _not_allowed("spec.engine.args", argument, "args")
    for variable in spec.engine.env:
        if not matches(variable.name, allowed.env):
            yield _not_allowed("spec.engine.env", variable.name, "env")
    yield from _template_refusals(template_patch(spec), allowed)


def template_patch(spec: Spec) -> dict[str, Any]:
    """spec.template as a patch over a pod template."""
    metadata = spec.template.metadata
    patch: dict[str, Any] = {}
    if metadata.labels or metadata.annotations:
        patch["metadata"] = {"labels": dict(metadata.labels), "annotations": dict(metadata.annotations)}
    if spec.template.spec:
        patch["spec"] = spec.template.model_dump(mode="json", by_alias=True)["spec"]
    return patch


def _template_refusals(patch: Mapping[str, Any], allowed: Allowed) -> Iterator[Refusal]:
    for path in changed_paths(patch):
        if not any(_covers(pattern, path) for pattern in allowed.template_paths):
            yield Refusal(
                Reason.NOT_ALLOWED,
                f"spec.template changes {path}, which the operator's configuration does not allow:"
                f" remove it, or ask the platform team to add it to allowed.templatePaths.",
            )
    for container in _containers(patch):
        image = container.get("image")
        if image is not None and not matches(str(image), allowed.images):
            yield _not_allowed("spec.template's image", str(image), "images")


def _containers(patch: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    spec = patch.get("spec") or {}
    for field in ("containers", "initContainers"):
        yield from (container for container in spec.get(field) or () if isinstance(container, Mapping))


def _not_allowed(what: str, found: str, key: str) -> Refusal:
    return Refusal(
        Reason.NOT_ALLOWED,
        f"{what} {found} is not allowed by the operator's configuration:"
        f" change it, or ask the platform team to add it to allowed.{key}.",
    )


def matches(text: str, patterns: Iterable[str]) -> bool:
    """`*` stands for any characters; everything else for itself, brackets too."""
    return any(_compiled(pattern).fullmatch(text) for pattern in patterns)


def _covers(pattern: str, path: str) -> bool:
    """A path allows everything below it. The server's own container has to be named: what goes for a sidecar would let
    anybody exchange the server."""
    if path in _AROUND_THE_SERVER or (path.startswith(_SERVER) and not pattern.startswith(_SERVER)):
        return False
    found = _compiled(pattern, "[^]]*").match(path)
    return found is not None and (found.end() == len(path) or path[found.end()] in ".[")


@cache
def _compiled(pattern: str, any_text: str = ".*") -> re.Pattern[str]:
    return re.compile(any_text.join(re.escape(part) for part in pattern.split("*")), re.DOTALL)
