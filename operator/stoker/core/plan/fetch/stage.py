"""How far a revision's weights are, as the steps tell each other and the planner."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from stoker.core.engine import Refusal
from stoker.core.found import Found
from stoker.core.plan.actions import Action
from stoker.core.plan.fetch.answers import Answer
from stoker.core.plan.fetch.fitting import Fit
from stoker.core.plan.weights import Weights


@dataclass(frozen=True)
class Folders:
    """Published folders on the volume that belong to revisions of this model."""

    running: frozenset[str] = frozenset()  # replicas have them open
    newest: Sequence[str] = ()  # of all that are known, the newest first

    def that_stay(self, wanted: str, keep_revisions: int) -> tuple[str, ...]:
        """Besides the wanted one: what is in use, and the newest others up to the number that is kept."""
        spare = [folder for folder in self.newest if folder != wanted]
        kept = {*self.running, *spare[: keep_revisions - 1]} - {wanted}
        return tuple(sorted(kept))


@dataclass(frozen=True)
class Stage:
    """`passing` tells that a refusal goes away by itself, as a download does."""

    weights: Weights | Refusal
    passing: bool = False
    found: Found | None = None
    fit: Fit | None = None
    fetching: bool = False
    jobs: frozenset[str] = frozenset()  # whose answers still count
    actions: tuple[Action, ...] = ()
    look_again_seconds: float | None = None

    def after(self, answer: Answer) -> "Stage":
        """With what the answer of a step wants done besides."""
        waits = [seconds for seconds in (self.look_again_seconds, answer.look_again_seconds) if seconds is not None]
        return replace(self, actions=(*answer.actions, *self.actions), look_again_seconds=min(waits, default=None))


def unanswered(answer: Answer, under_way: Refusal) -> Stage:
    """A step that is not done: it failed, it waits for something, or it goes on."""
    if answer.failed:
        return Stage(answer.failed)
    return Stage(answer.waits or under_way, passing=True)
