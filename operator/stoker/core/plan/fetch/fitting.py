"""Whether the model fits its accelerators, as far as the cluster tells what they are."""

from dataclasses import dataclass
from enum import Enum

from stoker.api.v1alpha1.status import ModelFacts
from stoker.core.plan.snapshot import Snapshot
from stoker_runtime.facts import Facts


class FitState(Enum):
    """Unknown is neither."""

    YES = "True"
    NO = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Fit:
    """The verdict, in a sentence with its numbers."""

    state: FitState
    message: str
    facts: ModelFacts


def fit_of(snapshot: Snapshot, facts: Facts | None) -> Fit | None:
    """None where nothing is known of the model."""
    if facts is None:
        return None
    del snapshot
    return Fit(FitState.UNKNOWN, "Not computed.", ModelFacts())
