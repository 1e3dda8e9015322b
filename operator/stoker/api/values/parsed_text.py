"""The base of every text that has a grammar."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from stoker.api.declaration import Rule


class ParsedText:
    """A string outside, a type of its own inside. Its rules are checked in order and become CEL rules of the CRD."""

    rules: ClassVar[tuple[Rule, ...]]
    max_length: ClassVar[int]
    shape_kind: ClassVar[Literal["text", "quantity"]] = "text"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value that the text stands for; ValueError with a sentence for the user where it stands for none."""
        if not 0 < len(text) <= cls.max_length:
            raise ValueError(f"is {len(text)} characters long: write 1 to {cls.max_length}")
        for rule in cls.rules:
            if not rule.holds(text):
                raise ValueError(rule.sentence(text))
        return cls._read(text)

    @classmethod
    @abstractmethod
    def _read(cls, text: str) -> Self:
        """Builds the value from a text that is known to obey the rules."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls.parse, cls._text_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def _text_schema(cls) -> CoreSchema:
        return core_schema.str_schema()
