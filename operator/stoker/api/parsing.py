"""From JSON to typed objects: strictly for files and the command line, tolerantly for objects that live in a cluster.

A file is its author's to mend, so everything that is wrong with it is said at once. A live object was accepted by an
API server, perhaps with a newer CRD than this operator knows (an operator that was rolled back must go on): fields that
it does not know are passed over, and values that it does not know are replaced by the default and reported.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from stoker.api.problems import Problem, broken_rules, path_of, problem_from
from stoker.api.v1alpha1.modeldeployment import ModelDeployment

# What a newer version may add to: another engine, another strategy.
_EXTENSIBLE = ("enum", "literal_error")


class InvalidManifest(ValueError):  # noqa: N818 - it is the manifest that is invalid
    """A manifest that cannot be used, with every reason why."""

    def __init__(self, name: str, problems: tuple[Problem, ...]) -> None:
        self.name = name
        self.problems = problems
        super().__init__("\n".join(f"ModelDeployment {name}: {problem}" for problem in problems))


@dataclass(frozen=True)
class Unrecognised:
    """A value that this version does not know. None of what depends on it may be acted upon as if it were
    the default."""

    path: str
    found: str


@dataclass(frozen=True)
class LiveObject:
    """An object from the API server."""

    deployment: ModelDeployment
    unrecognised: tuple[Unrecognised, ...] = ()


def parse_file(manifest: Mapping[str, Any]) -> ModelDeployment:
    """A manifest as a user wrote it; InvalidManifest names all that is wrong, in the words of the API server."""
    nulls = [Problem(path, "is null: remove the field to leave it unset") for path in _nulls_below(manifest, "")]
    deployment, problems = _validated(manifest)
    if deployment is not None:
        problems = tuple(broken_rules(deployment))
    if nulls or problems or deployment is None:
        raise InvalidManifest(_name_in(manifest), (*nulls, *problems))
    return deployment


def _validated(manifest: Mapping[str, Any]) -> tuple[ModelDeployment | None, tuple[Problem, ...]]:
    identity = tuple(
        Problem(field, f"is missing: write {field}: {value}")
        for field, value in (("apiVersion", "stoker.dev/v1alpha1"), ("kind", "ModelDeployment"))
        if field not in manifest
    )
    try:
        deployment = ModelDeployment.model_validate_json(json.dumps(manifest, default=str), by_name=False)
    except ValidationError as invalid:
        return None, (*identity, *(problem_from(error, ModelDeployment) for error in invalid.errors()))
    return (None if identity else deployment), identity


def parse_live(manifest: Mapping[str, Any]) -> LiveObject:
    """An object as the API server holds it; InvalidManifest only where it cannot be understood at all."""
    readable: Any = manifest
    unrecognised: list[Unrecognised] = []
    while True:
        try:
            deployment = ModelDeployment.model_validate_json(
                json.dumps(readable, default=str), strict=False, extra="ignore", by_name=False
            )
            return LiveObject(deployment, tuple(unrecognised))
        except ValidationError as invalid:
            errors = invalid.errors()
            unknown = [error for error in errors if error["type"] in _EXTENSIBLE]
            if len(unknown) < len(errors):
                problems = tuple(problem_from(error, ModelDeployment) for error in errors)
                raise InvalidManifest(_name_in(manifest), problems) from None
            if readable is manifest:
                readable = copy.deepcopy(dict(manifest))
            # From the last to the first, so that removing an entry of a list does not move the ones still to go.
            for error in reversed(unknown):
                unrecognised.append(Unrecognised(path_of(error["loc"]), str(error["input"])))
                _remove(readable, error["loc"])


def _remove(value: Any, location: tuple[int | str, ...]) -> None:
    *parents, last = location
    for step in parents:
        value = value[step]
    del value[last]


def _name_in(manifest: Mapping[str, Any]) -> str:
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return str(name) if name else "without a name"


def _nulls_below(value: object, path: str) -> list[str]:
    if value is None:
        return [path]
    if isinstance(value, Mapping):
        free_form = path == "spec.template.spec"  # null there means "delete this key", as in every merge patch
        inner = () if free_form else ((f"{path}.{key}" if path else str(key), item) for key, item in value.items())
    elif isinstance(value, list):
        inner = ((f"{path}[{index}]", item) for index, item in enumerate(value))
    else:
        return []
    return [null for inner_path, item in inner for null in _nulls_below(item, inner_path)]
