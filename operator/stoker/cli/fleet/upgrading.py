"""How far a model is with the newer defaults that it was told to take."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from stoker.cli.fleet.seen import Seen, objects_in, part
from stoker.cli.fleet.why import why


class Step(Enum):
    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class At:
    """Where a model is, and a person's words for it."""

    step: Step
    message: str


class State(StrEnum):
    """What became of a model, as `-o json` has it."""

    UP_TO_DATE = "UpToDate"
    HAS_UPDATE = "HasUpdate"
    UPGRADED = "Upgraded"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    NOT_BEGUN = "NotBegun"


_NOT_GOOD = (State.FAILED, State.TIMED_OUT, State.NOT_BEGUN)


@dataclass
class Account:
    """What became of each model, in the order in which it was found out; None says nothing before the end."""

    say: Callable[[str], None] | None
    models: list[tuple[Seen, State, str]] = field(default_factory=list)

    def tell(self, model: Seen, state: State, message: str) -> None:
        self.models.append((model, state, message))
        if self.say:
            self.say(f"{model.namespace}/{model.name}: {message}")

    @property
    def good(self) -> bool:
        return not any(state in _NOT_GOOD for _, state, _ in self.models)

    def as_json(self) -> dict[str, Any]:
        told = [
            {"namespace": model.namespace, "name": model.name, "state": state.value, "message": message}
            for model, state, message in self.models
        ]
        return {"good": self.good, "models": told}


def has_update(model: Seen) -> bool:
    return model.says("UpdateAvailable", "True")


def step(before: Seen, now: Seen | None) -> At:
    """Done is what the operator says of the new revision; what it said of the old one proves nothing."""
    if now is None or _uid(now) != _uid(before):
        return At(Step.FAILED, "was deleted meanwhile")
    failed_before = dict(_given_up(before))
    for revision, reason in _given_up(now):  # the target may be the last good one again by now
        if revision not in failed_before:
            return At(Step.FAILED, f"revision {revision} was given up: {reason}")
    target = _target(now)
    if target is None or target == _target(before):
        return At(Step.UNDER_WAY, "waits for the operator")
    said = why(now)
    if now.says("Stalled", "True"):
        return At(Step.FAILED, f"{said.reason}: {said.message}")
    if now.stale or now.says("Progressing", "True") or not (now.is_ready or now.aims.suspended):
        return At(Step.UNDER_WAY, f"{said.reason}: {said.message}")
    return At(Step.DONE, f"is Ready with revision {target}")


def _uid(model: Seen) -> object:
    return part(model.raw, "metadata").get("uid")


def _target(model: Seen) -> str | None:
    revision = part(model.raw, "status").get("updateRevision")
    return str(revision) if revision else None


def _given_up(model: Seen) -> Iterator[tuple[str, str]]:
    """Revisions that failed, and why."""
    for one in objects_in(part(model.raw, "status"), "revisions"):
        if one.get("failedReason"):
            yield str(one.get("name")), str(one["failedReason"])
