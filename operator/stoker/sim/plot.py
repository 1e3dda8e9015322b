"""Plots as SVG, by hand: two kinds of them do not need a library."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from stoker.sim.result import Result

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 760, 320, 60, 44, 30, 140
_COLOURS = (
    "#c2410c",
    "#1d4ed8",
    "#15803d",
    "#7e22ce",
    "#0f766e",
    "#b91c1c",
    "#a16207",
    "#334155",
    "#db2777",
    "#65a30d",
)


@dataclass(frozen=True)
class Series:
    name: str
    points: Sequence[tuple[float, float]]
    stepped: bool = False
    joined: bool = True


@dataclass(frozen=True)
class Panel:
    title: str
    x: str
    y: str
    series: Sequence[Series]


def svg(panels: Sequence[Panel]) -> str:
    """One below the other."""
    height = _HEIGHT * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}">',
        "<style>text {font: 11px sans-serif}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
    ]
    for index, panel in enumerate(panels):
        parts += [f'<g transform="translate(0 {index * _HEIGHT})">', *_panel(panel), "</g>"]
    return "\n".join((*parts, "</svg>", ""))


def timeline(result: Result) -> Panel:
    """Replicas that serve and GPUs that are held, over the load."""
    moments = result.moments
    rates = [
        (after.at_seconds, (after.arrived - before.arrived) / (after.at_seconds - before.at_seconds))
        for before, after in pairwise(moments)
    ]
    return Panel(
        f"{result.policy} on {result.trace}: {100 * result.share:.1f} % inside, {result.gpu_hours:.2f} GPU-hours",
        "seconds",
        "replicas, requests per second",
        (
            Series("GPUs held", [(one.at_seconds, float(one.held_gpus)) for one in moments], stepped=True),
            Series("serving", [(one.at_seconds, float(one.ready)) for one in moments], stepped=True),
            Series("requests/s", rates),
        ),
    )


def comparison(title: str, series: Sequence[Series]) -> Panel:
    return Panel(title, "GPU-hours", "% inside the objective", series)


def _panel(panel: Panel) -> list[str]:
    points = [point for series in panel.series for point in series.points] or [(0.0, 0.0)]
    low_x, high_x = _range([x for x, _ in points])
    low_y, high_y = _range([y for _, y in points])

    def at(point: tuple[float, float]) -> tuple[float, float]:
        x = _LEFT + (point[0] - low_x) / (high_x - low_x) * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - (point[1] - low_y) / (high_y - low_y) * (_HEIGHT - _BOTTOM - _TOP)
        return round(x, 1), round(y, 1)

    parts = [f'<text x="{_LEFT}" y="18" font-weight="bold">{escape(panel.title)}</text>']
    for step in range(6):
        x, y = low_x + (high_x - low_x) * step / 5, low_y + (high_y - low_y) * step / 5
        (px, _), (_, py) = at((x, low_y)), at((low_x, y))
        parts += [
            f'<line x1="{_LEFT}" y1="{py}" x2="{_WIDTH - _RIGHT}" y2="{py}" stroke="#e5e7eb"/>',
            f'<text x="{_LEFT - 6}" y="{py + 4}" text-anchor="end">{y:.4g}</text>',
            f'<text x="{px}" y="{_HEIGHT - _BOTTOM + 15}" text-anchor="middle">{x:.4g}</text>',
        ]
    middle = (_WIDTH + _LEFT - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(panel.x)}</text>')
    parts.append(
        f'<text transform="translate(14 {_HEIGHT / 2}) rotate(-90)" text-anchor="middle">{escape(panel.y)}</text>'
    )
    for index, series in enumerate(panel.series):
        colour = _COLOURS[index % len(_COLOURS)]
        parts += _drawn(series, [at(point) for point in series.points], colour)
        y = _TOP + 8 + 15 * index
        parts.append(f'<text x="{_WIDTH - _RIGHT + 10}" y="{y}" fill="{colour}">{escape(series.name)}</text>')
    return parts


def _drawn(series: Series, points: list[tuple[float, float]], colour: str) -> list[str]:
    dots = [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in points] if not series.stepped else []
    if not series.joined or len(points) < 2:
        return dots
    path = [f"M{points[0][0]} {points[0][1]}"]
    for x, y in points[1:]:
        path.append(f"H{x}V{y}" if series.stepped else f"L{x} {y}")
    line = f'<path d="{"".join(path)}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
    return [line] if len(points) > 60 else [line, *dots]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or 1.0
    return (0.0 if 0 <= low < margin * 4 else low - margin), high + margin
