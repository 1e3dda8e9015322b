"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is. What could not be read is neither well nor bad."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One answer: what was looked at, how it stands, and what to do about it."""

    name: str
    level: Level
    sentence: str
    remedy: str = ""
