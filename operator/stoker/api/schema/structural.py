"""Models → the structural schema that the API server prunes, defaults, validates and explains by."""

import json
from collections.abc import Mapping
from typing import Any

from stoker.api.declaration import ApiModel, Rule, TransitionRule
from stoker.api.fields import DeclaredField, Shape, fields_of
from stoker.api.problems import union_sentence
from stoker.api.schema import docstrings

_INT32_MAX = 2**31 - 1


def object_schema(model: type[ApiModel]) -> dict[str, Any]:
    """The schema of a model, with everything below it in place."""
    fields = fields_of(model)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.alias: field_schema(field, model) for field in fields},
    }
    required = [field.alias for field in fields if field.required]
    if required:
        schema["required"] = required
    if rules := rules_of(model):
        schema["x-kubernetes-validations"] = rules
    return schema


def field_schema(field: DeclaredField, owner: type[ApiModel]) -> dict[str, Any]:
    """One property: its description first, since that is what people read."""
    schema: dict[str, Any] = {"description": description_of(field, owner)}
    schema |= _shape_schema(field.shape)
    default = default_of(field)
    if default is not None:
        schema["default"] = default
    return schema


def description_of(field: DeclaredField, owner: type[ApiModel]) -> str:
    text = docstrings.of_fields(owner)[field.name]
    if field.unit:
        text += f" Unit: {field.unit}."
    for example in field.examples[:1]:
        written = example if isinstance(example, str) else json.dumps(example)
        if len(written) <= 120 and written != "[]":
            text += f" Example: {written}"
    return text


def default_of(field: DeclaredField) -> Any:
    """What the API server writes where the user wrote nothing; None where it writes nothing."""
    default = field.default
    if field.required or default is None:
        return None
    if isinstance(default, ApiModel):
        return default.to_manifest() or None
    if isinstance(default, tuple):
        return [_written(item) for item in default] or None
    if field.shape.kind in ("map", "json"):
        return None
    return _written(default)


def _written(value: Any) -> Any:
    if isinstance(value, ApiModel):
        return value.to_manifest()
    return value if isinstance(value, bool | int | Mapping) else str(value)


def _shape_schema(shape: Shape) -> dict[str, Any]:
    makers = {
        "object": _object,
        "list": _list,
        "map": _map,
        "json": _json,
        "text": _text,
        "quantity": _quantity,
        "integer": _integer,
        "boolean": _boolean,
    }
    schema = makers[shape.kind](shape)
    if shape.rules:
        schema["x-kubernetes-validations"] = [cel_of(rule) for rule in shape.rules]
    return schema


def _object(shape: Shape) -> dict[str, Any]:
    assert shape.model is not None  # noqa: S101 - narrows a union for the type checker
    return object_schema(shape.model)


def _list(shape: Shape) -> dict[str, Any]:
    assert shape.item is not None  # noqa: S101
    schema: dict[str, Any] = {"type": "array", "maxItems": shape.at_most, "items": _shape_schema(shape.item)}
    schema["x-kubernetes-list-type"] = shape.list_kind.kind
    if shape.list_kind.keys:
        schema["x-kubernetes-list-map-keys"] = list(shape.list_kind.keys)
    return schema


def _map(shape: Shape) -> dict[str, Any]:
    assert shape.item is not None  # noqa: S101
    return {
        "type": "object",
        "maxProperties": shape.at_most,
        "additionalProperties": _shape_schema(shape.item),
    }


def _json(_: Shape) -> dict[str, Any]:
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _text(shape: Shape) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if shape.choices:
        return schema | {"enum": [str(choice) for choice in shape.choices]}
    if shape.format:
        schema["format"] = shape.format
    if shape.at_least:
        schema["minLength"] = shape.at_least
    return schema | {"maxLength": shape.at_most}


def _quantity(shape: Shape) -> dict[str, Any]:
    return {
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "x-kubernetes-int-or-string": True,
        "maxLength": shape.at_most,
    }


def _integer(shape: Shape) -> dict[str, Any]:
    large = shape.at_most is None or shape.at_most > _INT32_MAX
    bounds = {"minimum": shape.at_least, "maximum": shape.at_most}
    return {"type": "integer", "format": "int64" if large else "int32"} | {
        name: bound for name, bound in bounds.items() if bound is not None
    }


def _boolean(_: Shape) -> dict[str, Any]:
    return {"type": "boolean"}


def rules_of(model: type[ApiModel]) -> list[dict[str, Any]]:
    rules = [cel_of(rule) for rule in model.rules]
    if model.exactly_one_of:
        aliases = tuple(model.model_fields[name].alias or name for name in model.exactly_one_of)
        one_set = " != ".join(f"has(self.{alias})" for alias in aliases)
        rules.append({"rule": one_set, "message": union_sentence(aliases)})
    return rules + [cel_of(rule) for rule in model.transition_rules]


def cel_of(rule: Rule | TransitionRule) -> dict[str, Any]:
    """One x-kubernetes-validations entry."""
    written: dict[str, Any] = {"rule": rule.cel}
    expression = rule.message_expression() if isinstance(rule, Rule) else None
    written |= {"messageExpression": expression} if expression else {"message": rule.says}
    if rule.at:
        written["fieldPath"] = rule.at
    return written
