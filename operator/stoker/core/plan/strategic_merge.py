"""A strategic-merge patch over a pod template, as `kubectl patch` and the API server do it.

Objects are merged, and null deletes. A list is replaced as a whole, but for those that core/v1 merges entry by entry,
which are in POD_TEMPLATE. Keys that begin with `$` are directives:

    $patch: replace | delete | merge        of an object; {$patch: replace} as an entry of a merged list is of that list
    $retainKeys: [...]                      the only keys that the object keeps
    $setElementOrder/LIST: [...]            the order of a merged list
    $deleteFromPrimitiveList/LIST: [...]    the values that a list loses

A merged list has the patch's entries in the patch's order, each after those that only the template has and has in front
of it: so a new entry comes first. What differs from kubectl, where it loses what was written: `$patch: replace` also
counts for an object that the template does not have, `$patch: merge` is allowed, and directives that would end up in
the pod, or entries and values of the wrong kind, are refused.
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
# So that nobody can name an entry to look like a longer path.
_ESCAPES = str.maketrans({"%": "%25", "[": "%5B", "]": "%5D"})


class InvalidPatch(ValueError):  # noqa: N818 - it is the patch that is invalid
    """Says where the patch is wrong, what was found there and what to write."""

    def __init__(self, path: str, found: str, write: str) -> None:
        super().__init__(f"{path or 'the patch'}: {found}: {write}")


def merged(template: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """The template with the patch over it; neither is changed, and the result shares nothing with them."""
    _check_object(patch, POD_TEMPLATE, "")
    return _merged_object(deepcopy(dict(template)), patch, POD_TEMPLATE, "")


def changed_paths(patch: Mapping[str, Any]) -> tuple[str, ...]:
    """The places that a patch touches, such as spec.containers[server].env[DEBUG].value, for an allow-list.

    A null, or a directive, touches all that is below its place.
    """
    _check_object(patch, POD_TEMPLATE, "")
    return tuple(sorted(_object_paths(patch, POD_TEMPLATE, ""))) if patch else ()


def _merged_object(template: Json, patch: Mapping[str, Any], fields: Fields, path: str) -> Json:
    if patch.get(_PATCH) == "delete":
        return {}
    kept = {} if patch.get(_PATCH) == "replace" else template
    retained = patch.get(_RETAIN, kept)
    result = {name: value for name, value in kept.items() if name in retained}
    for name, values in _about_lists(patch, _REMOVE).items():
        if isinstance(result.get(name), list):
            result[name] = [value for value in result[name] if value not in values]
    before = dict(result)
    for name, value in _fields(patch).items():
        # What is not there is not made to be emptied.
        if value is None or (before.get(name) is None and _is_deletion(value)):
            result.pop(name, None)
        else:
            result[name] = _merged_value(before.get(name), value, fields.get(name), _below(path, name))
    for name, order in _about_lists(patch, _ORDER).items():
        shape = fields.get(name)
        if isinstance(shape, MergeList) and order and name in result:
            result[name] = _in_order(result[name], shape.names(order), shape.names(before.get(name) or ()), shape)
    return result


def _merged_value(template: Any, patch: Any, shape: "Fields | MergeList | None", path: str) -> Any:
    if template is not None:
        _require(_kind(template), patch, path)
    if isinstance(patch, Mapping):
        return _merged_object(template or {}, patch, shape if isinstance(shape, Mapping) else {}, path)
    if isinstance(shape, MergeList):
        return _merged_list(template, patch, shape, path)
    return _without_nulls(patch)


def _merged_list(template: list[Any] | None, patch: Sequence[Any], shape: MergeList, path: str) -> list[Any]:
    def merged_entry(before: Json, entry: Mapping[str, Any]) -> Json:
        return _merged_object(before, entry, shape.entry, _entry_path(path, shape, entry))

    if shape.key is None:
        return _in_order(list(dict.fromkeys([*(template or ()), *patch])), list(patch), template or [], shape)
    own = [entry for entry in patch if entry.get(_PATCH) in (None, "merge")]
    if template is None or _REPLACE_LIST in patch:
        # Entries of one name, such as a port for TCP and for UDP, stay several.
        return [merged_entry({}, entry) for entry in own]
    deleted = shape.names([entry for entry in patch if _is_deletion(entry)])
    rest = [entry for entry in template if shape.name(entry) not in deleted]
    result = list(rest)
    for entry in own:
        names = shape.names(result)
        place = names.index(shape.name(entry)) if shape.name(entry) in names else len(names)
        result[place : place + 1] = [merged_entry(next(iter(result[place : place + 1]), {}), entry)]
    return _in_order(result, shape.names(own), shape.names(rest), shape)


def _in_order(entries: list[Any], order: list[Any], template: list[Any], shape: MergeList) -> list[Any]:
    """The entries that `order` names, in its order; each other one before the first that the template has after it."""
    ordered = sorted(
        (entry for entry in entries if shape.name(entry) in order), key=lambda e: order.index(shape.name(e))
    )
    others = [entry for entry in entries if shape.name(entry) not in order]
    result: list[Any] = []
    for entry in ordered:
        place = template.index(shape.name(entry)) if shape.name(entry) in template else 0
        while others and template.index(shape.name(others[0])) < place:
            result.append(others.pop(0))
        result.append(entry)
    return result + others


def _object_paths(patch: Mapping[str, Any], fields: Fields, path: str) -> set[str]:
    lists = _about_lists(patch, _ORDER) | _about_lists(patch, _REMOVE)
    paths = {_below(path, name) for name in lists}
    for name, value in _fields(patch).items():
        paths |= _value_paths(value, fields.get(name), _below(path, name))
    if not paths or _RETAIN in patch or patch.get(_PATCH) in ("replace", "delete"):
        paths |= {path} if path else set(fields)
    return paths


def _value_paths(value: Any, shape: "Fields | MergeList | None", path: str) -> set[str]:
    if isinstance(value, Mapping):
        return _object_paths(value, shape if isinstance(shape, Mapping) else {}, path)
    if not isinstance(shape, MergeList) or shape.key is None or not value:
        return {path}
    paths = {path} if _REPLACE_LIST in value else set()
    for entry in value:
        if entry != _REPLACE_LIST:
            rest = {key: item for key, item in entry.items() if key != shape.key}
            paths |= _object_paths(rest, shape.entry, _entry_path(path, shape, entry))
    return paths


def _check_object(patch: Mapping[str, Any], fields: Fields, path: str) -> None:
    """Whatever can be wrong without regard to the template."""
    if patch.get(_PATCH, "merge") not in ("merge", "replace", "delete"):
        raise InvalidPatch(_below(path, _PATCH), f"is {_shown(patch[_PATCH])}", "write merge, replace or delete")
    for key, value in patch.items():
        place = _below(path, key)
        if key == _RETAIN or key.startswith((_ORDER, _REMOVE)):
            _require("a list", value, place)
        elif key.startswith("$") and key != _PATCH:
            raise InvalidPatch(place, "is not a directive of merge patches", "remove it")
    for name, order in _about_lists(patch, _ORDER).items():
        _check_order(order, patch.get(name) or (), fields.get(name), _below(path, _ORDER + name))
    for name in _about_lists(patch, _REMOVE):
        if getattr(fields.get(name), "key", None):
            raise InvalidPatch(_below(path, _REMOVE + name), "is for plain values", "write $patch: delete in the entry")
    for name, value in _fields(patch).items():
        if value is not None:
            if name not in patch.get(_RETAIN, patch):
                raise InvalidPatch(_below(path, name), f"is set, but {_RETAIN} drops it", "add it there or remove it")
            _check_value(value, fields.get(name), _below(path, name))


def _check_value(value: Any, shape: "Fields | MergeList | None", path: str) -> None:
    if shape is not None:
        _require("a list" if isinstance(shape, MergeList) else "an object", value, path)
    if isinstance(value, Mapping):
        _check_object(value, shape if isinstance(shape, Mapping) else {}, path)
    elif isinstance(shape, MergeList):
        _check_entries(value, shape, path)
    elif _kind(value) == "a list":
        for index, item in enumerate(value):
            _check_plain(item, f"{path}[{index}]")


def _check_entries(entries: Sequence[Any], shape: MergeList, path: str) -> None:
    for index, entry in enumerate(entries):
        place = f"{path}[{index}]"
        _require("a value" if shape.key is None else "an object", entry, place)
        if shape.key is None or entry == _REPLACE_LIST:
            continue
        if entry.get(_PATCH) == "replace":
            raise InvalidPatch(place, "$patch: replace goes for the whole list", "write it as an entry of its own")
        if shape.name(entry) is None:
            raise InvalidPatch(place, f"has no {shape.key}, by which it would be found", f"write {shape.key}")
        _require("a value", shape.name(entry), f"{place}.{shape.key}")
        _check_object(entry, shape.entry, _entry_path(path, shape, entry))


def _check_order(order: Sequence[Any], entries: Sequence[Any], shape: Any, path: str) -> None:
    if not isinstance(shape, MergeList):
        raise InvalidPatch(path, "is for lists that are merged", "write the list itself in its order")
    _check_entries(order, MergeList(shape.key), path)
    _check_value(entries, shape, path.replace(_ORDER, ""))
    names = shape.names([entry for entry in entries if entry != _REPLACE_LIST and not _is_deletion(entry)])
    remaining = iter(shape.names(order))
    if order and not all(name in remaining for name in names):
        raise InvalidPatch(path, f"does not have the patch's own {_shown(names)} in this order", "write them into it")


def _check_plain(value: Any, path: str) -> None:
    """The API server would take a directive inside of a list that it does not merge for an unknown field."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if _kind(value) == "a list" else ()
    for key, item in items:
        if str(key).startswith("$"):
            raise InvalidPatch(path, f"{key} stands in a list that is replaced as a whole", "remove it")
        _check_plain(item, _below(path, str(key)))


def _require(expected: str, value: Any, path: str) -> None:
    if _kind(value) != expected:
        raise InvalidPatch(path, f"{_shown(value)} stands where {expected} belongs", f"write {expected}")


def _kind(value: Any) -> str:
    return "an object" if isinstance(value, Mapping) else "a list" if isinstance(value, list | tuple) else "a value"


def _shown(value: Any) -> str:
    return reprlib.repr(value)


def _is_deletion(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(_PATCH) == "delete"


def _fields(patch: Mapping[str, Any]) -> Json:
    return {key: value for key, value in patch.items() if not key.startswith("$")}


def _about_lists(patch: Mapping[str, Any], directive: str) -> Json:
    return {key.removeprefix(directive): value for key, value in patch.items() if key.startswith(directive)}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list | tuple) else value


def _below(path: str, key: str) -> str:
    return f"{path}.{key.translate(_ESCAPES)}" if path else key


def _entry_path(path: str, shape: MergeList, entry: Mapping[str, Any]) -> str:
    return f"{path}[{str(shape.name(entry)).translate(_ESCAPES)}]"
