"""Text in columns: those of numbers to the right, the last one cut where the terminal ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from stoker.cli.paint import PLAIN, Colour, Paint, printable

_GAP = "  "


@dataclass(frozen=True)
class Cell:
    text: str
    colour: Colour | None = None


@dataclass(frozen=True)
class Column:
    head: str
    right: bool = False


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None = None, paint: Paint = PLAIN
) -> list[str]:
    """One line a row, below one of heads. No width: nothing is cut."""
    safe = [[Cell(printable(cell.text), cell.colour) for cell in row] for row in rows]
    widths = [
        max(len(column.head), *(len(row[index].text) for row in safe)) if safe else len(column.head)
        for index, column in enumerate(columns)
    ]
    heads = [Cell(column.head, Colour.HEAD) for column in columns]
    return [_line(columns, row, widths, width, paint) for row in (heads, *safe)]


def _line(
    columns: Sequence[Column], row: Sequence[Cell], widths: Sequence[int], width: int | None, paint: Paint
) -> str:
    parts, used = [], 0
    for index, (column, cell) in enumerate(zip(columns, row, strict=True)):
        last = index == len(columns) - 1
        text = cell.text.rjust(widths[index]) if column.right else cell.text
        if last and width is not None:
            text = shortened(text, max(width - used, 12))
        parts.append(paint(text, cell.colour) + ("" if last else " " * (widths[index] - len(text)) + _GAP))
        used += widths[index] + len(_GAP)
    return "".join(parts).rstrip()


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
