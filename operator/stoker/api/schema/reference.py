"""docs/reference/modeldeployment.md: every field with its type, default, effect of an edit, and what must hold."""

from collections.abc import Iterator

from stoker.api.declaration import ApiModel, Effect
from stoker.api.fields import fields_of
from stoker.api.schema import docstrings
from stoker.api.schema.tables import GENERATED, default_cell, meaning, refusals, table, type_of
from stoker.api.v1alpha1.modeldeployment import GROUP, KIND, VERSION, Spec
from stoker.api.v1alpha1.status import Status

_INTRODUCTION = f"""\
{GENERATED.format(source="operator/stoker/api")}# {KIND}

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
    if sentences := refusals(model):
        yield sentences
    for field in fields_of(model):
        if field.model:
            below = f"{path}.{field.alias}" + ("[]" if field.shape.item else "")
            yield from _sections(below, field.model, (field.effect or inherited) if inherited else None)


def _table(model: type[ApiModel], inherited: Effect | None) -> str:
    texts = docstrings.of_fields(model)
    rows = []
    for field in fields_of(model):
        edit = [(field.effect or inherited).value] if inherited else []
        rows.append([f"`{field.alias}`", type_of(field), default_cell(field), *edit, meaning(field, texts[field.name])])
    return table(("field", "type", "default", *(["edit"] if inherited else []), "meaning"), rows)
