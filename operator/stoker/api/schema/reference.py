"""docs/reference/modeldeployment.md: every field with its type, default, effect of an edit, and what must hold."""

import json
import re
from collections.abc import Iterator
from typing import Any

from stoker.api.declaration import ApiModel, Effect
from stoker.api.fields import DeclaredField, Shape, fields_of
from stoker.api.problems import union_sentence
from stoker.api.schema import docstrings
from stoker.api.schema.structural import default_of
from stoker.api.v1alpha1.modeldeployment import GROUP, KIND, VERSION, Spec
from stoker.api.v1alpha1.status import Status

_INTRODUCTION = f"""\
<!-- Generated from operator/stoker/api by `make generate`. Do not edit. -->
# {KIND}

`apiVersion: {GROUP}/{VERSION}`, `kind: {KIND}`, short name `mdep`, category `stoker`.

`kubectl explain mdep.spec` shows the same text. Examples are under [docs/examples](../examples/).

What an edit does:

| edit | meaning |
|---|---|
| {Effect.LIVE.value} | {{live}} |
| {Effect.REVISION.value} | {{revision}} |
| {Effect.FIXED.value} | {{fixed}} |
""".format(
    live="takes effect at once and restarts no pod",
    revision="makes a new revision, and replicas are exchanged by a rollout",
    fixed="refused by the API server once the object exists",
)


def reference() -> str:
    sections = [_INTRODUCTION, "## Spec\n"]
    sections += _sections("spec", Spec, Effect.LIVE)
    sections.append("## Status\n")
    sections += _sections("status", Status, None)
    return "\n".join(sections)


def _sections(path: str, model: type[ApiModel], inherited: Effect | None) -> Iterator[str]:
    """The table of one object, then those of the objects in it."""
    yield f"### {path}\n\n{docstrings.of_model(model)}\n"
    yield _table(model, inherited)
    if sentences := _sentences(model):
        yield "Refused with a sentence:\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) + "\n"
    for field in fields_of(model):
        if field.model:
            below = f"{path}.{field.alias}" + ("[]" if field.shape.item else "")
            yield from _sections(below, field.model, (field.effect or inherited) if inherited else None)


def _table(model: type[ApiModel], inherited: Effect | None) -> str:
    rows = ["| field | type | default |" + (" edit |" if inherited else "") + " meaning |"]
    rows.append("|---|---|---|" + ("---|" if inherited else "") + "---|")
    texts = docstrings.of_fields(model)
    for field in fields_of(model):
        edit = f" {(field.effect or inherited).value} |" if inherited else ""
        cells = (
            f"| `{field.alias}` | {_type_of(field)} | {_default(field)} |{edit} {_meaning(field, texts[field.name])} |"
        )
        rows.append(cells)
    return "\n".join(rows) + "\n"


def _meaning(field: DeclaredField, text: str) -> str:
    for example in field.examples[:1]:
        if example != []:
            written = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
            text += f" Example: `{written}`"
    return text.replace("|", "\\|")


def _type_of(field: DeclaredField) -> str:
    text = _type(field.shape)
    return f"{text}, {field.unit}" if field.unit else text


def _type(shape: Shape) -> str:
    if shape.kind == "list" and shape.item:
        return f"list of {_type(shape.item)}, at most {shape.at_most}"
    if shape.kind == "map" and shape.item:
        return f"map of {_type(shape.item)}"
    if shape.choices:
        return "one of " + ", ".join(f"`{choice}`" for choice in shape.choices)
    if shape.kind == "integer":
        return _bounded_integer(shape)
    return {"json": "object, free-form"}.get(shape.kind, shape.kind)


def _bounded_integer(shape: Shape) -> str:
    if shape.at_least is not None and shape.at_most is not None:
        return f"integer {shape.at_least} to {shape.at_most}"
    return "integer"


def _default(field: DeclaredField) -> str:
    if field.required:
        return "**required**"
    default: Any = default_of(field)
    if default is None or field.model:
        return ""  # the tables below have the defaults of what is inside
    return f"`{json.dumps(default) if not isinstance(default, str) else default}`"


def _sentences(model: type[ApiModel]) -> list[str]:
    """What refuses an object, with the found values left open."""
    sentences = [re.sub(r"\{(?:self\.)?([a-zA-Z.]+)\}", r"*\1*", rule.says) for rule in model.rules]
    if model.exactly_one_of:
        aliases = tuple(model.model_fields[name].alias or name for name in model.exactly_one_of)
        sentences.append(union_sentence(aliases))
    sentences += [rule.says for rule in model.transition_rules]
    return list(dict.fromkeys(sentences))
