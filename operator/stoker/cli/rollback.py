"""`stoker rollback`: pins an earlier revision, or takes the pin away."""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stoker.cli import answer_options, model_options
from stoker.cli.input_error import InputError

if TYPE_CHECKING:
    from stoker.cli.fleet.reading import Reader

Json = Mapping[str, Any]
_MOST_TRIES = 5
_WRITER = "stoker-rollback"  # in managedFields, beside kubectl and Stoker itself


def add_to(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "rollback",
        help="go back to an earlier revision of a model",
        description="Sets spec.rollout.revision of a ModelDeployment, so that this revision runs whatever the rest of"
        " the spec describes. Until that is unset (--undo), edits of the spec make no new revision run.",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--to", metavar="REVISION", help="(default: the newest one before the current that did not fail)"
    )
    choice.add_argument("--undo", action="store_true", help="unset it, so that what the spec describes runs again")
    answer_options.add_to(parser)
    model_options.add_to(parser, many=False)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - start-up must be quick

    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    from stoker.cli.fleet.reading import reader  # noqa: PLC0415

    async with reader(options) as cluster:
        done = await rolled_back(cluster, options)
    answer_options.show(options.output, done.sentence, done.as_json())
    return 0


@dataclass(frozen=True)
class Done:
    """What became of the pin of a model."""

    namespace: str
    name: str
    before: str | None
    """None: nothing was pinned."""
    pinned: str | None
    sentence: str

    def as_json(self) -> Json:
        return {
            "namespace": self.namespace,
            "name": self.name,
            "pinnedBefore": self.before,
            "pinned": self.pinned,
            "changed": self.pinned != self.before,
        }


async def rolled_back(cluster: "Reader", options: argparse.Namespace) -> Done:
    """What was done. The operator writes the status at any time, which may change what is meant: then once more."""
    from stoker.cli.refusals import ChangedMeanwhileError  # noqa: PLC0415

    for _ in range(_MOST_TRIES - 1):
        with suppress(ChangedMeanwhileError):
            return await _pinned(cluster, options)
    return await _pinned(cluster, options)


async def _pinned(cluster: "Reader", options: argparse.Namespace) -> Done:
    model = await cluster.model(options.name)
    what = f"ModelDeployment {model.namespace}/{model.name}"
    chosen = None if options.undo else chosen_revision(model.raw, options.to, what)
    before = _pin_of(model.raw)
    if before != chosen:
        await cluster.pin(model, chosen, _WRITER)
    return Done(model.namespace, model.name, before, chosen, f"{what}: {_sentence(before, chosen, model.name)}")


def _sentence(before: str | None, chosen: str | None, name: str) -> str:
    if before == chosen:
        return f"nothing to do, {_already(chosen)}."
    if chosen is None:
        return f"revision {before} is not pinned any more; what the spec describes runs."
    return (
        f"goes to revision {chosen}. It stays there until `stoker rollback --undo {name}`,"
        " or until spec.rollout.revision is unset."
    )


def _already(chosen: str | None) -> str:
    return f"revision {chosen} is pinned already" if chosen else "no revision is pinned"


def _pin_of(model: Json) -> str | None:
    pinned = (model["spec"].get("rollout") or {}).get("revision")
    return str(pinned) if pinned else None


@dataclass(frozen=True)
class Kept:
    """A revision that can be gone back to, as the status tells it."""

    name: str
    number: int
    state: str
    failed_reason: str

    def __str__(self) -> str:
        return f"{self.name} (number {self.number}, {self.failed_reason or self.state or 'not looked at yet'})"


def chosen_revision(model: Json, asked_for: str | None, what: str) -> str:
    """InputError, with the list of those that there are, where nothing fits."""
    status = model.get("status") or {}
    kept = sorted(map(_kept, status.get("revisions") or ()), key=lambda revision: -revision.number)
    if asked_for:
        found = next((revision for revision in kept if revision.name == asked_for), None)
        if found is None:
            raise InputError([f"{what} has no revision {asked_for}: {_list(kept)}"])
        if found.failed_reason:
            remedy = "edit the spec, or set the annotation stoker.dev/restarted-at to try it again"
            raise InputError([f"{what}: revision {found} was given up and would not run: {remedy}"])
        return asked_for
    current = _pin_of(model) or status.get("updateRevision") or status.get("currentRevision")
    newest = next((revision.number for revision in kept if revision.name == current), 0)
    earlier = [revision for revision in kept if revision.number < newest and not revision.failed_reason]
    if not earlier:
        raise InputError([f"{what} has no revision before {current}: name one with --to REVISION: {_list(kept)}"])
    return earlier[0].name


def _kept(entry: Json) -> Kept:
    return Kept(entry["name"], entry.get("number", 0), entry.get("state", ""), entry.get("failedReason", ""))


def _list(kept: Sequence[Kept]) -> str:
    return f"it has {', '.join(map(str, kept)) or 'none'}"
