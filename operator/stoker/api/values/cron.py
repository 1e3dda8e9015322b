"""Cron expressions of five fields, as in a CronJob."""

from dataclasses import dataclass
from typing import ClassVar, Self

from stoker.api.declaration import Rule, matching
from stoker.api.values.parsed_text import ParsedText


def _field(number: str, names: str = "") -> str:
    value = f"(?:{number}|{names})" if names else f"(?:{number})"
    item = rf"(?:\*|{value}(?:-{value})?)(?:/[1-9][0-9]?)?"
    return f"{item}(?:,{item})*"


_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
_DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
_PATTERN = " ".join(
    (
        _field("[0-5]?[0-9]"),
        _field("[01]?[0-9]|2[0-3]"),
        _field("0?[1-9]|[12][0-9]|3[01]"),
        _field("0?[1-9]|1[0-2]", _MONTHS),
        _field("[0-7]", _DAYS),
    )
)


@dataclass(frozen=True)
class CronSchedule(ParsedText):
    """The moments that a cron expression names."""

    minute: str
    hour: str
    day_of_month: str
    month: str
    day_of_week: str

    max_length: ClassVar[int] = 128
    rules: ClassVar[tuple[Rule, ...]] = (
        matching(
            _PATTERN,
            "{self} is not a cron expression: write five fields, minute hour day-of-month month day-of-week,"
            " such as 0 8 * * MON-FRI",
        ),
    )

    @classmethod
    def _read(cls, text: str) -> Self:
        return cls(*text.split(" "))

    def __str__(self) -> str:
        return f"{self.minute} {self.hour} {self.day_of_month} {self.month} {self.day_of_week}"
