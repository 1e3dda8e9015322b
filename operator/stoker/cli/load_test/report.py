"""The measured levels as a table, as JSON, as a drawing and as a page."""

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from stoker.cli.fleet.columns import Cell, Column, table
from stoker.cli.load_test.course import Course
from stoker.cli.load_test.measured import Level, Quantiles
from stoker.cli.paint import PLAIN, Colour, Paint
from stoker.sim.plot import Panel, Series, svg

_LATE_SECONDS = 0.01
_HEADS = (
    "AT ONCE",
    "DONE",
    "ERRORS",
    "REQUESTS/S",
    "TOKENS/S",
    "TTFT p50",
    "p95",
    "p99 ms",
    "ITL p50",
    "p95",
    "p99 ms",
)


def text(levels: Sequence[Level], paint: Paint = PLAIN) -> str:
    columns = [Column(head, right=True) for head in _HEADS]
    rows = [
        [Cell(cell, Colour.WRONG if index == 2 and level.errors else None) for index, cell in enumerate(_cells(level))]
        for level in levels
    ]
    return "\n".join((*table(columns, rows, None, paint), *notes(levels)))


def notes(levels: Sequence[Level]) -> list[str]:
    """What has to be known to read the figures."""
    said = []
    for level in levels:
        kinds = ", ".join(f"{count} {kind}" for kind, count in level.errors.items())
        if kinds:
            said.append(f"{level.at_once} at once: {kinds}")
        said += [f"  {count} said: {detail}" for detail, count in level.details.items()]
    if few := [level for level in levels if 0 < level.finished < 100]:
        said.append(f"p99 of fewer than 100 requests is their slowest one ({_at_once(few)} at once).")
    if guessed := [level for level in levels if level.finished and not level.counted_by_server]:
        said.append(f"The server does not count tokens: a piece of text counts as one ({_at_once(guessed)} at once).")
    if late := [level for level in levels if level.client_late_seconds > _LATE_SECONDS]:
        most = max(level.client_late_seconds for level in late) * 1000
        said.append(
            f"This client itself was late by up to {most:.0f} ms ({_at_once(late)} at once):"
            " latencies of that size are its own. Run it where there is more CPU."
        )
    return ["", *said] if said else []


def as_json(course: Course, levels: Sequence[Level]) -> dict[str, Any]:
    return {"course": asdict(course), "levels": [asdict(level) for level in levels]}


def drawing(course: Course, levels: Sequence[Level]) -> str:
    """SVG: what grows with concurrency, one panel below the other."""
    return svg(
        (
            _panel(f"{course.model}: time to the first token", "milliseconds", levels, "first_token_seconds"),
            _panel(f"{course.model}: time between two tokens", "milliseconds", levels, "gap_seconds"),
            Panel(
                f"{course.model}: output",
                "requests at once",
                "tokens per second",
                (Series("tokens/s", [(float(level.at_once), level.tokens_per_second) for level in levels]),),
            ),
        )
    )


def page(course: Course, levels: Sequence[Level], when: str) -> str:
    """One HTML file that needs no other."""
    heads = "".join(f"<th>{escape(head)}</th>" for head in _HEADS)
    rows = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(level))}</tr>" for level in levels)
    said = "\n".join(f"<li>{escape(line.strip())}</li>" for line in notes(levels) if line)
    sent = "<br>\n".join(escape(line) for line in course.announcement())
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{escape(course.model)} under load</title>
<style>
body {{font: 15px sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em}}
table {{border-collapse: collapse}} th, td {{padding: .3em .7em; text-align: right; border-bottom: 1px solid #ddd}}
</style>
<h1>{escape(course.model)} under load</h1>
<p>{escape(when)}. {sent}</p>
<table>
<tr>{heads}</tr>
{rows}
</table>
<p>TTFT: time until the first text. ITL: mean time between two tokens of a request. Quantiles are over requests, by
nearest rank. Tokens per second are output tokens of finished requests over the whole level, its slow end included.</p>
<ul>
{said}
</ul>
{drawing(course, levels)}
</html>
"""


def _cells(level: Level) -> list[str]:
    return [
        str(level.at_once),
        str(level.finished),
        str(sum(level.errors.values())),
        f"{level.requests_per_second:.2f}",
        f"{level.tokens_per_second:.0f}",
        *_milliseconds(level.first_token_seconds),
        *_milliseconds(level.gap_seconds),
    ]


def _milliseconds(found: Quantiles) -> tuple[str, ...]:
    return tuple("-" if value is None else f"{value * 1000:.1f}" for value in (found.p50, found.p95, found.p99))


def _panel(title: str, unit: str, levels: Sequence[Level], field: str) -> Panel:
    series = []
    for name in ("p50", "p95", "p99"):
        found = [(float(level.at_once), getattr(getattr(level, field), name)) for level in levels]
        series.append(Series(name, [(x, y * 1000) for x, y in found if y is not None]))
    return Panel(title, "requests at once", unit, series)


def _at_once(levels: Sequence[Level]) -> str:
    return ", ".join(str(level.at_once) for level in levels)
