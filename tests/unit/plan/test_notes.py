"""Which changes of conditions are told as Events, and which of them as warnings."""

from stoker.api.v1alpha1.condition import Condition, ConditionStatus, ConditionType
from stoker.api.v1alpha1.reason import Reason
from stoker.core.plan.conditions import Statement, conditions_from, notes_on
from tests.unit.plan.builders import NOW

LIMITED, SCHEDULED = ConditionType.SCALING_LIMITED, ConditionType.SCHEDULED


def said(kind: ConditionType, status: ConditionStatus, reason: Reason) -> dict[str, Condition]:
    return {one.type: one for one in conditions_from([Statement(kind, status, reason)], {}, 1, NOW)}


def test_a_limit_that_holds_nothing_back_is_told_and_is_no_warning() -> None:
    before = said(LIMITED, "False", Reason.WITHIN_LIMITS)
    (told,) = notes_on([Statement(LIMITED, "True", Reason.VOLUME_ON_ONE_NODE)], before)
    assert not told.warning
    (told,) = notes_on([Statement(LIMITED, "True", Reason.AT_MAXIMUM)], before)
    assert told.warning


def test_a_wait_that_ends_well_is_no_news_and_one_that_does_not_is_a_warning() -> None:
    placed = said(SCHEDULED, "True", Reason.ALL_SCHEDULED)
    waits = Statement(SCHEDULED, "Unknown", Reason.STARTING)
    assert list(notes_on([waits], placed)) == []
    waiting = said(SCHEDULED, "Unknown", Reason.STARTING)
    assert list(notes_on([Statement(SCHEDULED, "True", Reason.ALL_SCHEDULED)], waiting)) == []
    (told,) = notes_on([Statement(SCHEDULED, "False", Reason.UNSCHEDULABLE)], waiting)
    assert told.warning
