"""The picture of `stoker top`."""

from stoker.cli.fleet.columns import Cell, Column, table
from stoker.cli.fleet.screen import COLOURS, Fleet, held, number
from stoker.cli.fleet.seen import Seen, Tiers
from stoker.cli.fleet.why import why
from stoker.cli.paint import PLAIN, Colour, Paint
from stoker.core.counted import counted

_LONGEST_BAR = 24
_SERVING, _WARM, _ASLEEP, _STARTING, _DRAINING, _MISSING = "█▓▒+-."
LEGEND = (
    f"{_SERVING} serves  {_WARM} warm  {_ASLEEP} asleep  {_STARTING} starts  {_DRAINING} drains  {_MISSING} is missing"
)


def top_text(fleet: Fleet, width: int | None = None, paint: Paint = PLAIN) -> str:
    if not fleet.models:
        return f"No ModelDeployment in {fleet.place}."
    columns = [
        Column("MODEL"),
        Column("GPUS", right=True),
        Column("REPLICAS"),
        Column("RUNNING", right=True),
        Column("A REPLICA", right=True),
        Column("QUEUE", right=True),
        Column("NOW"),
    ]
    ordered = sorted(fleet.models, key=lambda model: (-(model.held or 0), model.namespace, model.name))
    rows = [_row(model, across=fleet.across) for model in ordered]
    return "\n".join((*_totals(fleet), "", *table(columns, rows, width, paint), "", paint(LEGEND, Colour.FAINT)))


def _totals(fleet: Fleet) -> list[str]:
    lines = []
    for resource, count in held(fleet.models).items():
        there = fleet.capacity.get(resource, 0) if fleet.capacity is not None else None
        if not count and not there:
            continue  # models on CPUs
        filled = round(_LONGEST_BAR * count / there) if there else 0
        bar = f"[{'█' * min(filled, _LONGEST_BAR):<{_LONGEST_BAR}}] " if there else ""
        lines.append(f"{resource}  {bar}{count} of {number(there)}")
    running = [model.running for model in fleet.models if model.running is not None]
    waiting = [model.waiting for model in fleet.models if model.waiting is not None]
    silent = len(fleet.models) - len(running)
    unknown = f"; {counted(silent, 'model', 'does', 'do')} not tell" if silent else ""
    lines.append(f"requests  {sum(running)} run, {sum(waiting)} wait{unknown}")
    return lines


def _row(model: Seen, *, across: bool) -> list[Cell]:
    now = why(model)
    ready = model.tiers.ready
    share = f"{model.running / ready:.1f}" if model.running is not None and ready else "-"
    return [
        Cell(f"{model.namespace}/{model.name}" if across else model.name),
        Cell(number(model.held)),
        Cell(bar_of(model.tiers)),
        Cell(number(model.running)),
        Cell(share),
        Cell(number(model.waiting), Colour.UNDER_WAY if model.waiting else None),
        Cell(now.reason, COLOURS[now.mood]),
    ]


def bar_of(tiers: Tiers) -> str:
    """One mark a replica, as far as there is room; many replicas share a mark."""
    if tiers.ready is None or tiers.wanted is None:
        return "?"
    parts = (
        (_SERVING, tiers.ready),
        (_WARM, tiers.warm),
        (_ASLEEP, tiers.asleep),
        (_STARTING, max(0, tiers.serving - tiers.ready)),
        (_DRAINING, tiers.draining),
        (_MISSING, max(0, tiers.wanted - tiers.serving)),
    )
    whole = sum(count for _, count in parts)
    if whole <= _LONGEST_BAR:
        return "".join(mark * count for mark, count in parts)
    return "".join(mark * max(1, round(_LONGEST_BAR * count / whole)) for mark, count in parts if count)
