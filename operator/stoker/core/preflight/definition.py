"""The CustomResourceDefinition: there, served, and that of this build."""

from collections.abc import Iterator, Mapping
from typing import Any

from stoker.api.schema.crd import PLURAL, custom_resource_definition
from stoker.api.v1alpha1.modeldeployment import GROUP, VERSION
from stoker.core.counted import listed
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Unread

_NAME = "crd"
_APPLY = "kubectl apply --server-side -f crds/"


def crd(facts: Facts) -> Check:
    found = facts.definition
    if isinstance(found, Unread):
        return found.check(_NAME)
    if found is None:
        return Check(_NAME, Level.FAIL, f"{PLURAL}.{GROUP} is not installed", _APPLY)
    versions = {version["name"]: version for version in found["spec"]["versions"]}
    if VERSION not in versions:
        return Check(_NAME, Level.FAIL, f"has no version {VERSION}, only {listed(sorted(versions))}", _APPLY)
    if not versions[VERSION]["served"]:
        sentence = f"has version {VERSION}, which the API server is told not to serve"
        return Check(_NAME, Level.FAIL, sentence, f"set served: true, or {_APPLY}")
    if refusal := _refusal(found):
        return Check(_NAME, Level.FAIL, f"is not served: {refusal}", "remove what is in the way, then " + _APPLY)
    return _compared(versions[VERSION])


def _refusal(definition: Mapping[str, Any]) -> str | None:
    """What the API server says against serving it."""
    for condition in definition.get("status", {}).get("conditions", ()):
        if condition["type"] in ("Established", "NamesAccepted") and condition["status"] == "False":
            return str(condition.get("message") or condition.get("reason") or condition["type"])
    return None


def _compared(found: Mapping[str, Any]) -> Check:
    wanted = custom_resource_definition()["spec"]["versions"][0]
    ours, theirs = set(_fields(_schema(wanted), "")), set(_fields(_schema(found), ""))
    missing, surplus = sorted(ours - theirs), sorted(theirs - ours)
    if missing and surplus:
        sentence = f"is another Stoker's: it lacks {listed(missing)}, and has {listed(surplus)}"
        return Check(_NAME, Level.FAIL, sentence, f"install the operator and the CRD of one version: {_APPLY}")
    if missing:
        return Check(_NAME, Level.FAIL, f"is older than this stoker: it lacks {listed(missing)}", _APPLY)
    if found.get("subresources") != wanted["subresources"]:
        return Check(_NAME, Level.FAIL, "has other subresources than this stoker works with", _APPLY)
    if surplus:
        sentence = f"is newer than this stoker, which knows nothing of {listed(surplus)}"
        return Check(_NAME, Level.WARN, sentence, "use the stoker of the CRD's version")
    if _undescribed(_schema(found)) != _undescribed(_schema(wanted)):
        sentence = "has the fields of this stoker, but other rules or defaults for them"
        return Check(_NAME, Level.WARN, sentence, _APPLY)
    return Check(_NAME, Level.OK, f"{PLURAL}.{GROUP} {VERSION} is the one of this stoker")


def _schema(version: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def _fields(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Every field by its path; the entries of a list and the values of a map count as one."""
    for name, inner in schema.get("properties", {}).items():
        below = f"{path}.{name}" if path else name
        yield below
        yield from _fields(inner, below)
    for entry in ("items", "additionalProperties"):
        if isinstance(schema.get(entry), Mapping):
            yield from _fields(schema[entry], f"{path}[]")


def _undescribed(value: Any) -> Any:
    """Without the texts for people, which another release may word differently. A field named description stays."""
    if isinstance(value, Mapping):
        return {
            key: _undescribed(inner)
            for key, inner in value.items()
            if key != "description" or not isinstance(inner, str)
        }
    return [_undescribed(inner) for inner in value] if isinstance(value, list) else value
