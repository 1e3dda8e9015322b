"""Of all that a model says of itself, the one statement that matters most now."""

from dataclasses import dataclass
from enum import Enum

from stoker.cli.fleet.seen import Said, Seen


class Mood(Enum):
    """How a statement is to be taken."""

    WELL = "well"
    UNDER_WAY = "under way"
    WRONG = "wrong"


@dataclass(frozen=True)
class Why:
    mood: Mood
    reason: str
    message: str


# A condition, the status in which it matters, and how it is to be taken; the first that holds wins. Newer defaults wait
# until somebody takes them, and change nothing of what a model does today: the foot of the screen counts them.
_ORDER = (
    ("Stalled", "True", Mood.WRONG),
    ("Degraded", "True", Mood.WRONG),
    ("Progressing", "True", Mood.UNDER_WAY),
    ("Reconciling", "True", Mood.UNDER_WAY),
    ("Ready", "False", Mood.UNDER_WAY),
    ("Ready", "Unknown", Mood.UNDER_WAY),
    ("ScalingLimited", "True", Mood.UNDER_WAY),
    ("ScalingActive", "False", Mood.UNDER_WAY),
    ("ScalingActive", "Unknown", Mood.UNDER_WAY),
    ("Ready", "True", Mood.WELL),
)
# Not active, but only because nobody loads it or wants it so.
_QUIET = ("Suspended", "FollowsSpec", "HoldingFloor", "ObservingLoad", "NoReadyReplica")
# A limit of where replicas can run, which holds none back: one that finds no place there is Degraded, and says why.
_MET_ELSEWHERE = ("VolumeOnOneNode",)
_NEVER_LOOKED = "No operator has looked at this object yet: check that Stoker runs and watches its namespace."


def why(model: Seen) -> Why:
    if not model.observed_generation:
        return Why(Mood.UNDER_WAY, "WaitingForOperator", _NEVER_LOOKED)
    if model.stale:
        behind = f"The operator has seen generation {model.observed_generation}, not {model.generation} yet."
        return Why(Mood.UNDER_WAY, "WaitingForOperator", behind)
    for condition, status, mood in _ORDER:
        said = model.conditions.get(condition)
        if said and said.status == status and not _is_quiet(said):
            return Why(mood, said.reason, said.message)
    return Why(Mood.UNDER_WAY, "NotChecked", "The operator has said nothing of whether it is ready.")


def _is_quiet(said: Said) -> bool:
    if said.type == "ScalingActive":
        return said.reason in _QUIET
    return said.type == "ScalingLimited" and said.reason in _MET_ELSEWHERE


def is_abnormal(said: Said) -> bool:
    """Whether somebody may want to know what to do about it."""
    if said.type in ("Stalled", "Degraded", "ScalingLimited", "UpdateAvailable"):
        return said.status == "True"
    if said.type in ("Reconciling", "Progressing"):
        return False
    return said.status != "True" and said.reason not in _QUIET
