"""How long `make up` waits for a model."""

from e2e.up.serving import Patience
from stoker.cli.fleet.why import Mood


def test_what_is_under_way_is_waited_for_until_the_time_is_up() -> None:
    patience = Patience(600)
    assert not patience.is_over(600, Mood.UNDER_WAY)
    assert patience.is_over(601, Mood.UNDER_WAY)


def test_what_somebody_has_to_mend_is_given_up_soon() -> None:
    patience = Patience(600)
    assert not patience.is_over(100, Mood.WRONG)
    assert not patience.is_over(130, Mood.WRONG)
    assert patience.is_over(131, Mood.WRONG)


def test_what_mends_itself_begins_anew() -> None:
    patience = Patience(600)
    assert not patience.is_over(0, Mood.WRONG)
    assert not patience.is_over(29, Mood.UNDER_WAY)
    assert not patience.is_over(31, Mood.WRONG)
    assert not patience.is_over(61, Mood.WRONG)
    assert patience.is_over(62, Mood.WRONG)
