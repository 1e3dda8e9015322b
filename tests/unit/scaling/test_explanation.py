"""A user reads why."""

import json

from stoker.core.scaling.demands import Reason
from stoker.core.scaling.observation import Limits, Reading
from tests.unit.scaling.builders import Watched, load, replica


def test_every_input_is_there_as_json() -> None:
    said = Watched(2).run(60, 4.0, in_flight=9)
    told = json.loads(said.explanation.as_json())
    assert told["in_flight"] == 18
    assert told["ready"] == told["known"] == 2
    assert told["rate_per_second"] == 4.0
    assert told["reasons"] == [str(reason) for reason in said.reasons]


def test_an_order_names_the_load_and_what_a_replica_carries() -> None:
    said = Watched(2).run(40, 6.9, in_flight=20)
    assert Reason.RATE in said.reasons
    assert "6.90/s arrive, a replica carries 2.8" in said.explanation.sentence()


def test_a_hold_names_how_many_do_not_answer() -> None:
    watched = Watched(3)
    watched.run(60, 4.0, in_flight=5)
    said = watched.decide(watched.unread(Reading.UNKNOWN, count=2))
    assert "2 of 3 ready replicas do not tell their load" in said.explanation.sentence()


def test_the_maximum_and_the_floor_name_themselves() -> None:
    most = Watched(2, limits=Limits(floor=1, maximum=2)).run(300, 40.0, in_flight=90)
    assert "maxReplicas is 2" in most.explanation.sentence()
    least = Watched(2, limits=Limits(floor=2, maximum=9)).run(1200, 0.0)
    assert least.explanation.sentence() == "2: the floor is 2"


def test_a_model_that_may_goes_to_zero_after_its_idle_time_and_says_so() -> None:
    watched = Watched(1, limits=Limits(floor=0, maximum=4))
    watched.run(60, 1.0, in_flight=1)
    assert watched.run(560, 0.0).serving == 1
    said = watched.run(120, 0.0)
    assert said.serving == 0
    assert Reason.IDLE in said.reasons


def test_a_model_that_may_go_to_zero_stays_while_a_request_runs() -> None:
    watched = Watched(1, limits=Limits(floor=0, maximum=4))
    assert watched.run(3600, 0.0, in_flight=1).serving == 1


def test_the_idle_time_begins_when_a_replica_s_load_is_first_seen() -> None:
    """Somebody may have used it before the first look, and its counters cannot tell when."""
    watched = Watched(1, limits=Limits(floor=0, maximum=4))
    watched.run(2, 0.0)
    watched.now = 700.0
    first = watched.decide((replica("new", load=load(at_seconds=700.0, arrivals=12)),))
    assert first.serving == 1
    watched.now = 1310.0
    assert watched.decide((replica("new", load=load(at_seconds=1310.0, arrivals=12)),)).serving == 0


def test_a_model_that_is_kept_by_its_floor_is_not_said_to_be_idle() -> None:
    watched = Watched(0, limits=Limits(floor=1, maximum=4))
    assert watched.run(2).explanation.sentence() == "0 → 1: the floor is 1"


def test_warm_replicas_stay_below_the_maximum() -> None:
    said = Watched(2, limits=Limits(floor=2, maximum=3, warm=2)).run(60, 1.0)
    assert (said.serving, said.warm) == (2, 1)
