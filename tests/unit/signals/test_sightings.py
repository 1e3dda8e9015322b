"""Known, saturated, unknown, expired."""

from stoker.core.scaling.observation import Load, Reading
from stoker.signals.sighting import Record, Sighting

EXPIRE_SECONDS = 30.0


def a_load(at_seconds: float) -> Load:
    return Load(at_seconds=at_seconds, boot="b", in_flight=1, waiting=0, arrivals=5, finished=4)


def test_nothing_is_known_of_who_was_not_asked() -> None:
    assert Record(EXPIRE_SECONDS).sighting(5.0) == Sighting(Reading.UNKNOWN, None, None)


def test_a_load_is_known_until_it_is_too_old() -> None:
    record = Record(EXPIRE_SECONDS)
    record.known(a_load(10.0))
    assert record.sighting(40.0) == Sighting(Reading.KNOWN, a_load(10.0), 30.0)
    assert record.sighting(40.1).reading is Reading.EXPIRED


def test_the_last_good_load_stays_with_its_age_when_a_look_fails() -> None:
    record = Record(EXPIRE_SECONDS)
    record.known(a_load(10.0))
    record.failed("refused")
    assert record.sighting(12.0) == Sighting(Reading.UNKNOWN, a_load(10.0), 2.0)
    assert record.sighting(41.0).reading is Reading.EXPIRED


def test_who_answers_too_late_is_saturated_for_so_long_only() -> None:
    record = Record(EXPIRE_SECONDS)
    record.known(a_load(0.0))
    record.late(20.0, "late")
    record.late(40.0, "late")
    assert record.sighting(49.0).reading is Reading.SATURATED
    assert record.sighting(51.0).reading is Reading.EXPIRED


def test_a_late_answer_that_comes_keeps_it_saturated() -> None:
    record = Record(EXPIRE_SECONDS)
    record.late(0.0, "late")
    record.late(25.0, "late", a_load(25.0))
    assert record.sighting(50.0) == Sighting(Reading.SATURATED, a_load(25.0), 25.0)


def test_who_was_never_heard_is_not_saturated_for_ever() -> None:
    record = Record(EXPIRE_SECONDS)
    record.late(0.0, "late")
    assert record.sighting(30.0).reading is Reading.SATURATED
    assert record.sighting(31.0).reading is Reading.UNKNOWN


def test_a_load_from_the_future_has_no_negative_age() -> None:
    record = Record(EXPIRE_SECONDS)
    record.known(a_load(10.0))
    assert record.sighting(9.0).age_seconds == 0.0
