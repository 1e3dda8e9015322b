"""What is generated from the models: nothing undocumented, nothing unbounded, nothing that a server would refuse."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter

from stoker.api.declaration import ApiModel, Effect
from stoker.api.fields import DeclaredField, fields_of
from stoker.api.schema import docstrings
from stoker.api.schema.crd import COLUMNS
from stoker.api.schema.reference import reference
from stoker.api.v1alpha1.modeldeployment import ModelDeployment, Spec
from stoker.api.v1alpha1.status import Status
from tests.schemas import ROOT, SCHEMAS


def models_below(model: type[ApiModel]) -> Iterator[type[ApiModel]]:
    yield model
    for field in fields_of(model):
        if field.model:
            yield from models_below(field.model)


MODELS = tuple(dict.fromkeys((*models_below(Spec), *models_below(Status))))
FIELDS = tuple((model, field) for model in MODELS for field in fields_of(model))
IDS = [f"{model.__name__}.{field.alias}" for model, field in FIELDS]


@pytest.mark.parametrize(("model", "field"), FIELDS, ids=IDS)
def test_every_field_is_documented_with_an_example(model: type[ApiModel], field: DeclaredField) -> None:
    text = docstrings.of_fields(model).get(field.name, "")
    assert text.endswith("."), "a string below the field says what it is for, in sentences"
    assert field.examples


@pytest.mark.parametrize(("model", "field"), FIELDS, ids=IDS)
def test_every_number_has_a_unit(model: type[ApiModel], field: DeclaredField) -> None:
    del model
    assert field.shape.kind != "integer" or field.unit


# Examples of the objects that Stoker itself writes are shortened.
WRITTEN_BY_USERS = tuple(
    (model, field) for model, field in FIELDS if not (field.model and model in set(models_below(Status)))
)


@pytest.mark.parametrize(
    ("model", "field"), WRITTEN_BY_USERS, ids=lambda part: getattr(part, "alias", getattr(part, "__name__", ""))
)
def test_every_example_could_be_written_there(model: type[ApiModel], field: DeclaredField) -> None:
    info = model.model_fields[field.name]
    annotation: Any = Annotated[(info.annotation, *(info.metadata or [None]))]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    for example in field.examples:
        adapter.validate_json(json.dumps(example))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_object_is_documented(model: type[ApiModel]) -> None:
    assert docstrings.of_model(model).endswith(".")


@pytest.mark.parametrize("path", [path for path in SCHEMAS if path])
def test_every_list_map_and_text_is_bounded(path: str) -> None:
    schema = SCHEMAS[path]
    kind = schema.get("type")
    if kind == "array":
        assert schema["maxItems"] > 0
        assert schema["x-kubernetes-list-type"] in ("atomic", "set", "map")
    if "additionalProperties" in schema:
        assert schema["maxProperties"] > 0
    if kind == "string" and path not in (".apiVersion", ".kind", ".metadata.name"):
        assert "enum" in schema or schema["maxLength"] > 0


def test_the_spec_has_no_unbounded_number() -> None:
    numbers = {path for path, schema in SCHEMAS.items() if schema.get("type") == "integer" and path.startswith(".spec")}
    assert numbers
    assert all({"minimum", "maximum"} <= SCHEMAS[path].keys() for path in numbers)


def test_the_schema_is_structural() -> None:
    text = json.dumps(ROOT)
    assert "$ref" not in text
    assert "title" not in SCHEMAS[".spec"]
    for path, schema in SCHEMAS.items():
        alternatives = schema.get("anyOf", [])
        assert not alternatives or schema.get("x-kubernetes-int-or-string"), path


def test_map_lists_name_keys_that_are_required_or_have_a_default() -> None:
    for path, schema in SCHEMAS.items():
        for key in schema.get("x-kubernetes-list-map-keys", []):
            items = schema["items"]
            assert key in items["required"] or "default" in items["properties"][key], path


def test_columns_read_fields_that_exist() -> None:
    for column in COLUMNS:
        path = column["jsonPath"].partition("[")[0]
        assert path in SCHEMAS or path == ".metadata.creationTimestamp"


def test_the_number_of_replicas_is_always_there_for_the_scale_subresource() -> None:
    assert SCHEMAS[".spec.replicas"]["default"] == 1
    assert SCHEMAS[".status.replicas"]["default"] == 0


def test_a_fresh_object_does_not_look_finished() -> None:
    conditions = {condition["type"]: condition["status"] for condition in SCHEMAS[".status"]["default"]["conditions"]}
    assert conditions == {"Ready": "Unknown", "Reconciling": "True"}
    assert SCHEMAS[".status"]["default"]["observedGeneration"] == 0


def test_reasons_are_free_text_in_the_schema_so_that_an_older_crd_takes_a_newer_reason() -> None:
    assert "enum" not in SCHEMAS[".status.conditions[].reason"]


def test_the_reference_has_every_field_of_the_spec_and_status() -> None:
    text = reference()
    for _, field in FIELDS:
        assert f"| `{field.alias}` |" in text


def effects_below(model: type[ApiModel], path: str, inherited: Effect) -> Iterator[tuple[str, Effect]]:
    for field in fields_of(model):
        effect = field.effect or inherited
        if field.model:
            yield from effects_below(field.model, f"{path}{field.alias}.", effect)
        else:
            yield f"{path}{field.alias}", effect


def test_only_these_fields_are_fixed_and_only_these_groups_make_a_revision() -> None:
    effects = dict(effects_below(Spec, "", Effect.LIVE))
    fixed = {path for path, effect in effects.items() if effect is Effect.FIXED}
    assert fixed == {
        "model.servedName",
        "weights.storage.claim.storageClassName",
        "weights.storage.claim.accessModes",
        "weights.storage.existingClaim.name",
    }
    restarting = {path.partition(".")[0] for path, effect in effects.items() if effect is Effect.REVISION}
    assert restarting == {"model", "engine", "accelerator", "resources", "drain", "template"}


def test_every_rule_says_its_sentence_for_the_values_that_it_found() -> None:
    models: tuple[type[ApiModel], ...] = (*MODELS, ModelDeployment)
    rules = [rule for model in models for rule in model.rules]
    assert len(rules) > 20
    for rule in rules:
        expression = rule.message_expression()
        assert (expression is None) == ("{" not in rule.says)
        assert expression is None or '"' not in rule.says
