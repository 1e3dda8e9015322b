"""What is wrong with a manifest, in sentences: where, what was found, what to write instead."""

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails

from stoker.api.declaration import ApiModel, ListKind, Rule, parts_below
from stoker.api.fields import fields_of


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and where."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}" if self.path else self.sentence


def path_of(location: tuple[int | str, ...]) -> str:
    """pydantic's location as a manifest spells it: spec.engine.args[2]."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"


_WRITE: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "int_type": lambda _: "write a whole number without quotes or unit; the unit is in the field's name or description",
    "bool_type": lambda _: "write true or false without quotes",
    "string_type": lambda _: "write a text, in quotes where YAML would read a number or true/false",
    "enum": lambda context: f"write one of {context['expected']}",
    "literal_error": lambda context: f"write {context['expected']}",
    "greater_than_equal": lambda context: f"write {context['ge']} or more",
    "less_than_equal": lambda context: f"write {context['le']} or less",
    "string_too_short": lambda context: f"write {context['min_length']} or more characters, or remove the field",
    "string_too_long": lambda context: f"write at most {context['max_length']} characters",
    "too_long": lambda context: f"give at most {context['max_length']} entries",
    "tuple_type": lambda _: "write a list",
    "model_type": lambda _: "write an object",
    "model_attributes_type": lambda _: "write an object",
    "dict_type": lambda _: "write an object",
    "mapping_type": lambda _: "write an object",
}


def problem_from(error: ErrorDetails, root: type[ApiModel]) -> Problem:
    """One of pydantic's errors in the words of this API."""
    location, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind == "missing":
        return Problem(path_of(location), "is missing: it has no default, so set it")
    if kind == "extra_forbidden":
        return Problem(path_of(location), _unknown_field(location, root))
    if kind == "value_error":
        return Problem(path_of(location), str(context["error"]))
    write = _WRITE[kind](context) if kind in _WRITE else error["msg"]
    if kind == "enum" and isinstance(error["input"], bool):
        write += ", in quotes, since YAML reads a bare On or Off as true or false"
    return Problem(path_of(location), f"{_shown(error['input'])} does not fit here: {write}")


RESERVED = {"spec.weights.storage": ("nodeLocal", "imageVolume", "stream"), "spec": ("adapters",)}


def _unknown_field(location: tuple[int | str, ...], root: type[ApiModel]) -> str:
    *parents, name = location
    if name in RESERVED.get(path_of(tuple(parents)), ()):
        return "is reserved for a later version: remove it"
    known = _known_fields(root, parents)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        return f"is not a field here: did you mean {close[0]}?"
    return f"is not a field here: remove it, or use one of {', '.join(known)}"


def _known_fields(root: type[ApiModel], parents: list[int | str]) -> list[str]:
    model: type[ApiModel] | None = root
    for step in parents:
        if model is None:
            return []
        if isinstance(step, int):
            continue
        inner = next((field for field in fields_of(model) if field.alias == step), None)
        model = inner.model if inner else None
    return [field.alias for field in fields_of(model)] if model else []


def broken_rules(root: ApiModel) -> list[Problem]:
    """The rules over several fields, which hold for files and which the API server checks as CEL."""
    problems = []
    for path, part in parts_below(root):
        if isinstance(part, ApiModel):
            problems += [_broken(rule, part, path) for rule in type(part).rules if not rule.holds(part)]
            problems += _broken_union(part, path)
            problems += _repeated_entries(part, path)
    return problems


def _broken(rule: Rule, value: ApiModel, path: str) -> Problem:
    return Problem(f"{path}{rule.at}".removeprefix("."), rule.sentence(value))


def union_sentence(names: tuple[str, ...]) -> str:
    return f"exactly one of {' and '.join(names)} must be set: keep one"


def _broken_union(value: ApiModel, path: str) -> list[Problem]:
    names = type(value).exactly_one_of
    if not names or sum(getattr(value, name) is not None for name in names) == 1:
        return []
    aliases = tuple(type(value).model_fields[name].alias or name for name in names)
    return [Problem(path, union_sentence(aliases))]


def _repeated_entries(value: ApiModel, path: str) -> list[Problem]:
    problems = []
    for field in fields_of(type(value)):
        entries = getattr(value, field.name)
        if field.list_kind.kind == "atomic" or not isinstance(entries, tuple):
            continue
        seen: set[object] = set()
        for index, entry in enumerate(entries):
            key = _key_of(entry, field.list_kind)
            if key in seen:
                problems.append(
                    Problem(f"{path}.{field.alias}[{index}]".removeprefix("."), f"repeats {_shown(key)}: keep it once")
                )
            seen.add(key)
    return problems


def _key_of(entry: object, kind: ListKind) -> object:
    if kind.kind == "set" or not isinstance(entry, ApiModel):
        return entry
    manifest = entry.to_manifest()
    return tuple(str(manifest.get(key, "")) for key in kind.keys)
