"""The generated schema, taken apart by path."""

from collections.abc import Iterator
from typing import Any

from stoker.api.schema.crd import custom_resource_definition


def schemas_below(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from schemas_below(inner, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from schemas_below(schema[key], f"{path}[]")


ROOT = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
SCHEMAS = dict(schemas_below(ROOT))
