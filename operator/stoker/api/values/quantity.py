"""Kubernetes quantities: `32Gi`, `500m`, `1.5`, `4`."""

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

from pydantic_core import CoreSchema, core_schema

from stoker.api.declaration import Rule
from stoker.api.values.parsed_text import ParsedText

# Kubernetes' own parser also takes `E` for a number, and amounts below zero; both are slips of the pen here.
_PATTERN = r"\+?([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:([KMGTPE]i|[numkMGTPE])|[eE]([+-]?[0-9]{1,2}))?"
_QUANTITY = re.compile(_PATTERN)
_DECIMAL_POWERS = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_POWERS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


@dataclass(frozen=True, order=True)
class Quantity(ParsedText):
    """An exact amount. Two spellings of one amount are equal; the user's spelling is kept for writing it back."""

    amount: Fraction
    text: str = field(compare=False)

    max_length: ClassVar[int] = 32
    shape_kind: ClassVar[Literal["text", "quantity"]] = "quantity"
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"string(self).matches(r'^(?:{_PATTERN})$') && isQuantity(string(self))",
            holds=lambda text: bool(_QUANTITY.fullmatch(text)),
            says="{self} is not a quantity: write a number with an optional unit and no space,"
            " such as 500m, 4, 1.5 or 32Gi",
        ),
    )

    @classmethod
    def _read(cls, text: str) -> Self:
        match = _QUANTITY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text} is not a quantity")
        digits, suffix, exponent = match.groups()
        amount = Fraction(Decimal(digits))
        if suffix in _BINARY_POWERS:
            amount *= 2 ** _BINARY_POWERS[suffix]
        else:
            amount *= Fraction(10) ** (_DECIMAL_POWERS[suffix] if suffix else int(exponent or 0))
        return cls(amount, text)

    @property
    def whole_units(self) -> int:
        """Rounded up to a whole number: bytes for memory and storage, devices for extended resources."""
        return math.ceil(self.amount)

    def __str__(self) -> str:
        return self.text

    @classmethod
    def _text_schema(cls) -> CoreSchema:
        # YAML reads `cpu: 4` as a number, and Kubernetes accepts that.
        return core_schema.no_info_before_validator_function(
            lambda value: str(value) if type(value) is int else value, core_schema.str_schema(strict=True)
        )
