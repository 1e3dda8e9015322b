"""From what is known to the conditions, and from the difference to the last ones to Events.

A transition is a change of status or reason. It moves lastTransitionTime only where the status changed, as everywhere
in Kubernetes, and it is told as one Event. A message that only counts on is neither.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from stoker.api.v1alpha1.condition import Condition, ConditionStatus, ConditionType
from stoker.api.v1alpha1.reason import Reason
from stoker.core.plan.actions import Note
from stoker.core.timestamp import timestamp

_LONGEST_MESSAGE = 4096
# Changes of these are worth an Event; the others follow from them.
_TOLD = (
    ConditionType.READY,
    ConditionType.WEIGHTS_READY,
    ConditionType.FITS_GPU,
    ConditionType.SCHEDULED,
    ConditionType.SCALING_LIMITED,
    ConditionType.UPDATE_AVAILABLE,
    ConditionType.DEGRADED,
    ConditionType.STALLED,
)
# True is the bad news here.
_NEGATIVE = (ConditionType.DEGRADED, ConditionType.STALLED, ConditionType.SCALING_LIMITED)
# A fresh model is not ready yet, and nothing is wrong with that. A volume of one node limits every model of several
# replicas that has one; a replica that finds no room there is told as that.
_CALM = (
    Reason.STARTING,
    Reason.SUSPENDED,
    Reason.AT_ZERO,
    Reason.UP_TO_DATE,
    Reason.SCALING,
    Reason.ROLLING_OUT,
    Reason.VOLUME_ON_ONE_NODE,
)


@dataclass(frozen=True)
class Statement:
    """What is to be said of one condition type."""

    type: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str = ""


def conditions_from(
    statements: Iterable[Statement], before: Mapping[str, Condition], generation: int, now: datetime
) -> tuple[Condition, ...]:
    return tuple(_condition(statement, before.get(statement.type), generation, now) for statement in statements)


def _condition(statement: Statement, before: Condition | None, generation: int, now: datetime) -> Condition:
    unchanged = before is not None and before.status == statement.status
    since = before.last_transition_time if before is not None and unchanged else timestamp(now)
    if before is not None and before.reason == Reason.WAITING_FOR_OPERATOR:
        since = timestamp(now)  # the server's default carries no true time
    return Condition(
        type=statement.type,
        status=statement.status,
        reason=statement.reason,
        message=statement.message[:_LONGEST_MESSAGE],
        last_transition_time=since,
        observed_generation=generation,
    )


def notes_on(statements: Iterable[Statement], before: Mapping[str, Condition]) -> Iterator[Note]:
    """One Event for each transition that people want to hear of; what several conditions say alike is said once."""
    told = set()
    for statement in statements:
        if statement.reason in told or not _is_news(statement, before.get(statement.type)):
            continue
        told.add(statement.reason)
        yield Note(
            statement.reason, f"{statement.type} is {statement.status}. {statement.message}".strip(), _bad(statement)
        )


def _is_news(statement: Statement, old: Condition | None) -> bool:
    if statement.type not in _TOLD or statement.status == "Unknown":
        return False
    if old is None or old.status == "Unknown":
        # Of what nobody knew before, only what is wrong or what people wait for.
        return _bad(statement) or (statement.type == ConditionType.READY and statement.status == "True")
    return (old.status, old.reason) != (statement.status, statement.reason)


def _bad(statement: Statement) -> bool:
    bad_status: ConditionStatus = "True" if statement.type in _NEGATIVE else "False"
    return statement.status == bad_status and statement.reason not in _CALM
