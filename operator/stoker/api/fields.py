"""The declared fields of a model, read once from its type hints, for everything that is generated from them."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from stoker.api.declaration import ATOMIC, ApiModel, Effect, Format, ListKind, Rule, Unit
from stoker.api.values.parsed_text import ParsedText

Kind = Literal["object", "list", "map", "json", "text", "quantity", "integer", "boolean"]


@dataclass(frozen=True)
class Shape:
    """What a value may be: one of the kinds below, with its bounds."""

    kind: Kind
    model: type[ApiModel] | None = None
    item: "Shape | None" = None
    choices: tuple[str, ...] = ()
    at_least: int | None = None
    at_most: int | None = None
    rules: tuple[Rule, ...] = ()
    format: str | None = None
    list_kind: ListKind = ATOMIC


@dataclass(frozen=True)
class DeclaredField:
    """One field of a model."""

    name: str
    alias: str
    shape: Shape
    required: bool
    default: Any
    examples: tuple[Any, ...]
    unit: str | None
    effect: Effect | None

    @property
    def model(self) -> type[ApiModel] | None:
        """The model below this field, also inside a list."""
        return self.shape.item.model if self.shape.item else self.shape.model

    @property
    def list_kind(self) -> ListKind:
        return self.shape.list_kind


@cache
def fields_of(model: type[ApiModel]) -> tuple[DeclaredField, ...]:
    return tuple(_declared(name, info) for name, info in model.model_fields.items())


# The first that a name ends with counts.
_UNITS_IN_NAMES = ("milliseconds", "seconds", "percent", "bytes")


def _declared(name: str, info: FieldInfo) -> DeclaredField:
    marks = _marks(info.annotation, tuple(info.metadata))
    named_unit = next((unit for unit in _UNITS_IN_NAMES if name.endswith(unit)), None)
    return DeclaredField(
        name=name,
        alias=info.alias or name,
        shape=shape_of(info.annotation, tuple(info.metadata)),
        required=info.is_required(),
        default=None if info.default is PydanticUndefined else info.default,
        examples=tuple(info.examples or ()),
        unit=next((mark.name for mark in marks if isinstance(mark, Unit)), named_unit),
        effect=next((mark for mark in marks if isinstance(mark, Effect)), None),
    )


def _marks(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, ...]:
    """The metadata of a field, also what a type alias inside `X | None` brings along."""
    inner, more = _unwrapped(annotation)
    return (*metadata, *more) if inner is annotation else _marks(inner, (*metadata, *more))


def _unwrapped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """One layer of `Annotated` or of `X | None` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return inner, tuple(_flattened(metadata))
    if origin in (Union, types.UnionType):
        present = [argument for argument in get_args(annotation) if argument is not type(None)]
        if len(present) == 1:
            return present[0], ()
    return annotation, ()


def _flattened(metadata: list[Any]) -> list[Any]:
    """pydantic's Field() in an Annotated type carries bounds of its own."""
    return [part for mark in metadata for part in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]


def shape_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> Shape:
    """The shape that a type hint and its metadata describe."""
    marks = _marks(annotation, metadata)
    bare = annotation
    while (inner := _unwrapped(bare)[0]) is not bare:
        bare = inner
    bounds: dict[str, Any] = {
        "at_least": next(
            (m.ge if isinstance(m, Ge) else m.min_length for m in marks if isinstance(m, Ge | MinLen)), None
        ),
        "at_most": next(
            (m.le if isinstance(m, Le) else m.max_length for m in marks if isinstance(m, Le | MaxLen)), None
        ),
        "rules": tuple(mark for mark in marks if isinstance(mark, Rule)),
        "format": next((mark.name for mark in marks if isinstance(mark, Format)), None),
        "list_kind": next((mark for mark in marks if isinstance(mark, ListKind)), ATOMIC),
    }
    return _shape_of_bare(bare, bounds)


def _shape_of_bare(bare: Any, bounds: dict[str, Any]) -> Shape:
    origin = get_origin(bare)
    if origin is tuple:
        return Shape("list", item=shape_of(get_args(bare)[0]), **bounds)
    if origin is Literal:
        return Shape("text", choices=get_args(bare), **bounds)
    if origin is not None and issubclass(origin, Mapping):
        value = get_args(bare)[1]
        return Shape("json", **bounds) if value is Any else Shape("map", item=shape_of(value), **bounds)
    if issubclass(bare, ApiModel):
        return Shape("object", model=bare, **bounds)
    if issubclass(bare, ParsedText):
        return Shape(bare.shape_kind, **(bounds | {"at_least": 1, "at_most": bare.max_length, "rules": bare.rules}))
    kinds: dict[type, Kind] = {bool: "boolean", int: "integer"}
    choices = tuple(bare) if issubclass(bare, StrEnum) else ()
    return Shape(kinds.get(bare, "text"), choices=choices, **bounds)
