"""Colours, where a person looks at a terminal and did not ask for none (https://no-color.org)."""

import os
import sys
from enum import Enum
from typing import TextIO


class Colour(Enum):
    """By what it says, not by how it looks."""

    WELL = "32"
    UNDER_WAY = "33"
    WRONG = "31"
    HEAD = "1"
    FAINT = "2"


class Paint:
    """Paints, or does not."""

    def __init__(self, *, on: bool) -> None:
        self._on = on

    def __call__(self, text: str, colour: Colour | None) -> str:
        return f"\x1b[{colour.value}m{text}\x1b[0m" if self._on and colour and text else text


PLAIN = Paint(on=False)


def is_terminal(stream: TextIO | None = None) -> bool:
    return (stream or sys.stdout).isatty() and os.environ.get("TERM") != "dumb"


def paint_for() -> Paint:
    return Paint(on=is_terminal() and not os.environ.get("NO_COLOR"))


def printable(text: str) -> str:
    """What comes from a cluster or a server could hold what moves the cursor or renames the window."""
    return "".join(character if character.isprintable() else " " for character in text)
