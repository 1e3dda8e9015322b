"""One screen of a fleet: its models, what they have and wait for, the accelerators, and why."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stoker.cli.fleet.columns import Cell, Column, table
from stoker.cli.fleet.seen import Seen
from stoker.cli.fleet.why import Mood, why
from stoker.cli.paint import PLAIN, Colour, Paint
from stoker.core.counted import counted, share

COLOURS = {Mood.WELL: Colour.WELL, Mood.UNDER_WAY: Colour.UNDER_WAY, Mood.WRONG: Colour.WRONG}


@dataclass(frozen=True)
class Fleet:
    """What was found."""

    place: str
    """Where was looked, as a person says it: `namespace models`, `all namespaces`."""
    models: tuple[Seen, ...]
    capacity: Mapping[str, int] | None
    """Accelerators that the nodes have, by name. None: they could not be read."""
    across: bool = False
    """Whether the models are of several namespaces."""


def held(models: Sequence[Seen]) -> dict[str, int]:
    """Accelerators that these models hold, by name, as far as it is known."""
    counted: dict[str, int] = defaultdict(int)
    for model in models:
        if model.held is not None:
            counted[model.resource] += model.held
    return dict(sorted(counted.items()))


def status_text(fleet: Fleet, width: int | None = None, paint: Paint = PLAIN) -> str:
    if not fleet.models:
        return f"No ModelDeployment in {fleet.place}: apply one, as docs/quickstart.md shows."
    names = [Column("NAMESPACE")] if fleet.across else []
    columns = [
        *names,
        Column("MODEL"),
        Column("READY", right=True),
        Column("WARM", right=True),
        Column("STARTING", right=True),
        Column("RUNNING", right=True),
        Column("QUEUE", right=True),
        Column("GPUS", right=True),
        Column("WHY"),
    ]
    rows = [_row(model, across=fleet.across) for model in fleet.models]
    return "\n".join((*table(columns, rows, width, paint), "", *_footer(fleet)))


def _row(model: Seen, *, across: bool) -> list[Cell]:
    now = why(model)
    colour = COLOURS[now.mood]
    tiers = model.tiers
    asleep = f"+{tiers.asleep}z" if tiers.asleep else ""
    leaving = f"-{tiers.draining}" if tiers.draining else ""
    names = [Cell(model.namespace)] if across else []
    return [
        *names,
        Cell(model.name),
        Cell(f"{number(tiers.ready)}/{number(tiers.wanted)}", colour),
        Cell(f"{tiers.warm}{asleep}/{model.aims.warm}"),
        Cell(f"{tiers.starting}{leaving}"),
        Cell(number(model.running)),
        Cell(number(model.waiting)),
        Cell(number(model.held)),
        Cell(f"{now.reason}: {now.message}", None if now.mood is Mood.WELL else colour),
    ]


def _footer(fleet: Fleet) -> list[str]:
    ready = sum(model.is_ready for model in fleet.models)
    lines = [f"{share(ready, len(fleet.models), 'model')} Ready in {fleet.place}"]
    if updates := sum(model.says("UpdateAvailable", "True") for model in fleet.models):
        where = " -A" if fleet.across else ""
        have = counted(updates, "model", "has", "have")
        lines.append(f"{have} newer defaults to take: `stoker upgrade --all{where} --dry-run` lists them")
    for resource, count in held(fleet.models).items():
        if not count and not (fleet.capacity or {}).get(resource):
            continue  # models on CPUs
        if fleet.capacity is None:
            lines.append(f"{resource}: {count} held by these models; the nodes may not be read, so not of how many")
        else:
            lines.append(
                f"{resource}: {count} held by these models, of {fleet.capacity.get(resource, 0)} that nodes have"
            )
    return lines


def number(value: int | None) -> str:
    """A dash is unknown, which is not 0."""
    return "-" if value is None else str(value)


def as_json(fleet: Fleet) -> dict[str, Any]:
    return {
        "ready": all(model.is_ready for model in fleet.models),
        "models": [_model_json(model) for model in fleet.models],
        "accelerators": {
            resource: {"held": count, "capacity": None if fleet.capacity is None else fleet.capacity.get(resource, 0)}
            for resource, count in held(fleet.models).items()
        },
    }


def _model_json(model: Seen) -> dict[str, Any]:
    now, tiers = why(model), model.tiers
    return {
        "namespace": model.namespace,
        "name": model.name,
        "ready": model.is_ready,
        "replicas": {
            "ready": tiers.ready,
            "wanted": tiers.wanted,
            "warm": tiers.warm,
            "warmWanted": model.aims.warm,
            "asleep": tiers.asleep,
            "starting": tiers.starting,
            "draining": tiers.draining,
        },
        "requests": {"running": model.running, "waiting": model.waiting},
        "accelerators": {"resource": model.resource, "held": model.held},
        "why": {"reason": now.reason, "message": now.message},
    }
