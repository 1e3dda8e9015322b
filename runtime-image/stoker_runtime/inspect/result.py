"""What inspect answers: JSON short enough for a container's termination message."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from stoker_runtime.facts import Facts, LayerGroup

MOST_BYTES = 4000
_ALWAYS = frozenset({"task"})  # its reader wants it


def without_defaults(facts: Facts) -> dict[str, Any]:
    """Facts.from_json puts the defaults back."""
    value = _changed(facts, facts.to_json())
    value["groups"] = [_changed(group, given) for group, given in zip(facts.groups, value["groups"], strict=True)]
    return value


def good(revision: str, folder: str, sizes: tuple[int, int], facts: Facts, names: Sequence[str] = ()) -> str:
    """`sizes`: bytes and number of the files. `names`: of those that an engine has to be told, where they fit."""
    told = without_defaults(facts)
    value: dict[str, Any] = {
        "ok": True,
        "revision": revision,
        "folder": folder,
        "totalBytes": sizes[0],
        "files": sizes[1],
        "facts": told,
    } | ({"names": list(names)} if names else {})
    text = _written(value)
    # Nobody decides by the first; without the second, whoever starts the engine looks into the folder.
    for part, name in ((told, "bytes_by_dtype"), (value, "names")):
        if len(text) > MOST_BYTES:
            part.pop(name, None)
            text = _written(value)
    if len(text) > MOST_BYTES:
        raise ValueError(f"the facts take {len(text)} bytes")
    return text


def bad(reason: str, message: str) -> str:
    """The message is cut where it must be."""
    empty = len(_written({"ok": False, "reason": reason, "message": ""}))
    room = MOST_BYTES - empty
    while len(json.dumps(message)) - 2 > room:
        over = len(json.dumps(message)) - 2 - room
        # An escape takes up to 12 bytes for one letter.
        message = message[: len(message) - max(over // 12, 1) - 1] + "…"
        room = MOST_BYTES - empty
    return _written({"ok": False, "reason": reason, "message": message})


def _changed(item: Facts | LayerGroup, value: Mapping[str, Any]) -> dict[str, Any]:
    changed = {}
    for entry in fields(item):
        factory = entry.default_factory
        default = factory() if factory is not MISSING else entry.default
        if entry.name in _ALWAYS or value[entry.name] != default:
            changed[entry.name] = value[entry.name]
    return changed


def _written(value: Mapping[str, Any]) -> str:
    """ASCII, so that a letter is a byte."""
    return json.dumps(value, separators=(",", ":"))
