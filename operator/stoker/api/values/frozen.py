"""Mappings and free-form JSON that nobody can change by accident once they are parsed."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, PlainSerializer, SerializerFunctionWrapHandler, WrapSerializer

Value = TypeVar("Value")


class FrozenDict(Mapping[str, Value], Generic[Value]):
    """A mapping without a way to change it, so that it can be hashed and shared."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return f"FrozenDict({self._items!r})"


def _freeze(value: Any) -> Any:
    if isinstance(value, Mapping):
        return FrozenDict({key: _freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)
    return value


def thawed(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, Mapping):
        return {key: thawed(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [thawed(item) for item in value]
    return value


def _serialize_map(value: Any, handler: SerializerFunctionWrapHandler) -> Any:
    return handler(dict(value))


EMPTY: FrozenDict[Any] = FrozenDict({})
FrozenMap = Annotated[Mapping[str, Value], AfterValidator(_freeze), WrapSerializer(_serialize_map)]
FrozenJson = Annotated[Mapping[str, Any], AfterValidator(_freeze), PlainSerializer(thawed)]
