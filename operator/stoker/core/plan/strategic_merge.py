"""A strategic-merge patch over a pod template, as `kubectl patch` and the API server do it.

Objects are merged, and null deletes. A list is replaced as a whole, but for those that core/v1 merges entry by entry,
which are in POD_TEMPLATE. Keys that begin with `$` are directives:

    $patch: replace | delete | merge        of an object; {$patch: replace} as an entry of a merged list is of that list
    $retainKeys: [...]                      the only keys that the object keeps
    $setElementOrder/LIST: [...]            the order of a merged list
    $deleteFromPrimitiveList/LIST: [...]    the values that a list loses

A merged list has the patch's entries in the patch's order, each after those that only the template has and has in front
of it: so a new entry comes first. Unlike kubectl, which drops such an object, `$patch: replace` is heeded where the
template has none; `$patch: merge` is allowed; directives without effect and values of a wrong kind are refused.
"""

import reprlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class MergeList:
    """A list that is merged entry by entry, which are found by a key; without a key it is a set of values."""

    key: str | None
    entry: "Fields" = field(default_factory=dict)

    def name(self, entry: Any) -> Any:
        return entry if self.key is None else entry.get(self.key)

    def names(self, entries: Sequence[Any]) -> list[Any]:
        return [self.name(entry) for entry in entries]


Fields = Mapping[str, "Fields | MergeList"]
Shape = Fields | MergeList | None

_METADATA: Fields = {"finalizers": MergeList(None), "ownerReferences": MergeList("uid")}
_CONTAINER: Fields = {
    "env": MergeList("name"),
    "ports": MergeList("containerPort"),
    "volumeDevices": MergeList("devicePath"),
    "volumeMounts": MergeList("mountPath"),
}
# What has a patchStrategy of merge in Kubernetes 1.35. The other one, retainKeys, is for who makes patches.
POD_TEMPLATE: Fields = {
    "metadata": _METADATA,
    "spec": {
        "containers": MergeList("name", _CONTAINER),
        "ephemeralContainers": MergeList("name", _CONTAINER),
        "hostAliases": MergeList("ip"),
        "imagePullSecrets": MergeList("name"),
        "initContainers": MergeList("name", _CONTAINER),
        "resourceClaims": MergeList("name"),
        "schedulingGates": MergeList("name"),
        "topologySpreadConstraints": MergeList("topologyKey"),
        "volumes": MergeList("name", {"ephemeral": {"volumeClaimTemplate": {"metadata": _METADATA}}}),
    },
}

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _REMOVE = "$setElementOrder/", "$deleteFromPrimitiveList/"
_REPLACE_LIST = {_PATCH: "replace"}
_ESCAPES = str.maketrans({"%": "%25", "[": "%5B", "]": "%5D"})  # no name of an entry can look like a longer path


class InvalidPatch(ValueError):  # noqa: N818 - it is the patch that is invalid
    def __init__(self, path: str, found: str, write: str) -> None:
        super().__init__(f"{path or 'the patch'}: {found}: {write}")


def merged(template: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """The template with the patch over it; neither is changed, and the result shares nothing with them."""
    _object_paths(patch, POD_TEMPLATE, "")  # for what it refuses
    return _merged_object(deepcopy(dict(template)), patch, POD_TEMPLATE, "")


def changed_paths(patch: Mapping[str, Any]) -> tuple[str, ...]:
    """The places that a patch touches, such as spec.containers[server].env[DEBUG].value, for an allow-list; what is
    deleted, replaced or ordered as a whole, as a whole. Brackets and % within a key are percent-encoded."""
    return tuple(sorted(_object_paths(patch, POD_TEMPLATE, ""))) if patch else ()


def _merged_object(template: Json, patch: Mapping[str, Any], fields: Fields, path: str) -> Json:
    if _is_deletion(patch):
        return {}
    kept = {} if patch.get(_PATCH) == "replace" else template
    before = {name: value for name, value in kept.items() if name in patch.get(_RETAIN, kept)}
    for name, values in _about_lists(patch, _REMOVE).items():
        if _kind(before.get(name)) == "a list":
            before[name] = [value for value in before[name] if value not in values]
    result = dict(before)
    for name, value in _fields(patch).items():
        # What is not there is not made in order to be emptied.
        if value is None or (before.get(name) is None and _is_deletion(value)):
            result.pop(name, None)
        else:
            result[name] = _merged_value(before.get(name), value, fields.get(name), _below(path, name))
    for name, order in _about_lists(patch, _ORDER).items():
        shape = fields.get(name)
        if isinstance(shape, MergeList) and order and name in result:
            result[name] = _in_order(result[name], order, before.get(name) or (), shape)
    return result


def _merged_value(template: Any, patch: Any, shape: Shape, path: str) -> Any:
    if template is not None:
        _require(_kind(template), patch, path)
    if isinstance(patch, Mapping):
        return _merged_object(template or {}, patch, shape if isinstance(shape, Mapping) else {}, path)
    return _merged_list(template, patch, shape, path) if isinstance(shape, MergeList) else _plain(patch, path)


def _merged_list(template: Sequence[Any] | None, patch: Sequence[Any], shape: MergeList, path: str) -> list[Any]:
    if shape.key is None:
        return _in_order(list(dict.fromkeys([*(template or ()), *patch])), patch, template or (), shape)
    own = [entry for entry in patch if entry != _REPLACE_LIST and not _is_deletion(entry)]
    if template is None or _REPLACE_LIST in patch:
        # Entries of one name, such as a port for TCP and for UDP, stay several.
        return [_merged_object({}, entry, shape.entry, _entry_path(path, shape, entry)) for entry in own]
    deleted = shape.names([entry for entry in patch if _is_deletion(entry)])
    rest = [entry for entry in template if shape.name(entry) not in deleted]
    result = list(rest)
    for entry in own:
        names = [*shape.names(result), shape.name(entry)]
        place = names.index(shape.name(entry))
        before = result[place] if place < len(result) else {}
        result[place : place + 1] = [_merged_object(before, entry, shape.entry, _entry_path(path, shape, entry))]
    return _in_order(result, own, rest, shape)


def _in_order(entries: list[Any], order: Sequence[Any], template: Sequence[Any], shape: MergeList) -> list[Any]:
    """The entries that `order` names, in its order; each other one before the first that the template has after it."""
    first, before = shape.names(order), shape.names(template)
    others = [entry for entry in entries if shape.name(entry) not in first]
    result: list[Any] = []
    for entry in sorted((e for e in entries if shape.name(e) in first), key=lambda e: first.index(shape.name(e))):
        place = before.index(shape.name(entry)) if shape.name(entry) in before else 0
        while others and before.index(shape.name(others[0])) < place:
            result.append(others.pop(0))
        result.append(entry)
    return result + others


def _object_paths(patch: Mapping[str, Any], fields: Fields, path: str) -> set[str]:
    """Refuses what is wrong whatever the template is, since every patch is read here first."""
    _check_directives(patch, path)
    paths = {_below(path, key.partition("/")[2]) for key in patch if key.startswith((_ORDER, _REMOVE))}
    for name, value in _fields(patch).items():
        if value is not None and name not in patch.get(_RETAIN, patch):
            raise InvalidPatch(_below(path, name), f"is set but missing in {_RETAIN}", "add it there or remove it here")
        paths |= _value_paths(value, fields.get(name), _below(path, name))
    for name, order in _about_lists(patch, _ORDER).items():
        _check_order(order, patch.get(name) or (), fields.get(name), _below(path, _ORDER + name))
    for name in _about_lists(patch, _REMOVE):
        if getattr(fields.get(name), "key", None):
            raise InvalidPatch(_below(path, _REMOVE + name), "is for plain values", "write $patch: delete in the entry")
    if not paths or _RETAIN in patch or patch.get(_PATCH, "merge") != "merge":
        paths |= {path} if path else set(fields)
    return paths


def _value_paths(value: Any, shape: Shape, path: str) -> set[str]:
    if shape is not None and value is not None:
        _require("a list" if isinstance(shape, MergeList) else "an object", value, path)
    if isinstance(value, Mapping):
        return _object_paths(value, shape if isinstance(shape, Mapping) else {}, path)
    if isinstance(shape, MergeList) and value is not None:
        return _list_paths(value, shape, path)
    _plain(value, path)
    return {path}


def _list_paths(entries: Sequence[Any], shape: MergeList, path: str) -> set[str]:
    paths = {path} if shape.key is None or not entries or _REPLACE_LIST in entries else set()
    for index, entry in enumerate(entries):
        place = f"{path}[{index}]"
        _require("an object" if shape.key else "a value", entry, place)
        if shape.key and entry != _REPLACE_LIST:
            if entry.get(_PATCH) == "replace":
                raise InvalidPatch(place, "$patch: replace is about the whole list", "write it as an entry of its own")
            if shape.name(entry) is None or _kind(shape.name(entry)) != "a value":
                raise InvalidPatch(place, f"has no {shape.key}, by which entries are found", f"write {shape.key}")
            own = _entry_path(path, shape, entry)
            paths |= _object_paths(entry, shape.entry, own) - {_below(own, shape.key)} or {own}
    return paths


def _check_directives(patch: Mapping[str, Any], path: str) -> None:
    for key, value in patch.items():
        if key == _RETAIN or key.startswith((_ORDER, _REMOVE)):
            _require("a list", value, _below(path, key))
        elif key == _PATCH and value not in ("merge", "replace", "delete"):
            raise InvalidPatch(_below(path, key), f"is {reprlib.repr(value)}", "write merge, replace or delete")
        elif key.startswith("$") and key != _PATCH:
            raise InvalidPatch(_below(path, key), "is not a directive of strategic-merge patches", "remove it")


def _check_order(order: Sequence[Any], entries: Sequence[Any], shape: Shape, path: str) -> None:
    if not isinstance(shape, MergeList):
        raise InvalidPatch(path, "is for lists that are merged", "write the list itself in its order")
    _list_paths(order, MergeList(shape.key), path)
    own = shape.names([entry for entry in entries if entry != _REPLACE_LIST and not _is_deletion(entry)])
    if order and own != [name for name in shape.names(order) if name in own]:
        raise InvalidPatch(path, f"does not have {reprlib.repr(own)} as the patch itself has it", "use one order")


def _require(expected: str, value: Any, path: str) -> None:
    if _kind(value) != expected:
        raise InvalidPatch(path, f"{reprlib.repr(value)} stands where {expected} belongs", f"write {expected}")


def _kind(value: Any) -> str:
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list | tuple) else "a value"


def _is_deletion(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(_PATCH) == "delete"


def _fields(patch: Mapping[str, Any]) -> Json:
    return {key: value for key, value in patch.items() if not key.startswith("$")}


def _about_lists(patch: Mapping[str, Any], directive: str) -> Json:
    return {key.removeprefix(directive): value for key, value in patch.items() if key.startswith(directive)}


def _plain(value: Any, path: str) -> Any:
    """A copy without nulls. A directive in here would end up in the pod."""
    if isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    if directives := [key for key in value if key.startswith("$")]:
        raise InvalidPatch(_below(path, directives[0]), "is in a list that is replaced as a whole", "remove it")
    return {key: _plain(item, _below(path, key)) for key, item in value.items() if item is not None}


def _below(path: str, key: str) -> str:
    return f"{path}.{key.translate(_ESCAPES)}" if path else key


def _entry_path(path: str, shape: MergeList, entry: Mapping[str, Any]) -> str:
    return f"{path}[{str(shape.name(entry)).translate(_ESCAPES)}]"
