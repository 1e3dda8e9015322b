"""The formulas of a rollout, on numbers alone."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from stoker.api.v1alpha1.rollout import RolloutStrategy
from stoker.core.plan.rollout.counts import Held, goals
from stoker.core.plan.rollout.steps import Step, step_of

COUNTS = st.integers(0, 8)
STEPS = st.sampled_from(Step)


@st.composite
def held(draw: st.DrawFn, name: str) -> Held:
    count = draw(COUNTS)
    return Held(name, count, draw(st.integers(0, count)), draw(st.booleans()))


@given(st.tuples(held("new"), held("old"), held("older")), st.integers(0, 8), STEPS, st.booleans())
def test_no_more_ready_replicas_are_taken_than_the_step_may_miss(
    of: tuple[Held, Held, Held], wanted: int, step: Step, paused: bool
) -> None:
    new, old, older = of
    assume(new.count <= wanted)
    found = goals(new, [old, older], wanted, step, paused=paused)
    ready_after = new.ready + min(old.ready, found["old"]) + min(older.ready, found["older"])
    ready_before = new.ready + old.ready + older.ready
    assert ready_after >= min(ready_before, wanted - (step is Step.EXCHANGING))


@given(held("new"), held("old"), st.integers(1, 8), STEPS, st.booleans())
def test_no_set_grows_beyond_what_is_wanted_and_an_old_one_only_for_a_load_that_grows(
    new: Held, old: Held, wanted: int, step: Step, paused: bool
) -> None:
    found = goals(new, [old], wanted, step, paused=paused)
    assert found["new"] <= wanted
    grows = old.good and old.ready and not new.ready and old.count + new.count < wanted
    assert found["old"] <= (wanted - new.count if grows else old.count)


@given(st.integers(1, 4), st.integers(1, 4), st.sampled_from([Step.SURGING, Step.EXCHANGING]))
def test_a_load_that_grows_is_served_by_what_is_known_to_work_until_the_target_has_proven_itself(
    before: int, growth: int, step: Step
) -> None:
    old, wanted = Held("old", before, before, good=True), before + growth
    assert goals(Held("new", 1, 0), [old], wanted, step) == {"new": 1, "old": wanted - 1}
    assert goals(Held("new", 1, 0), [replace(old, count=wanted - 1)], wanted, step) == {"new": 1, "old": wanted - 1}
    assert goals(Held("new", 1, 1), [old], wanted, step)["new"] >= growth
    broken = replace(old, ready=0)
    assert goals(Held("new", 1, 0), [broken], wanted, step)["new"] == growth


@given(st.integers(1, 8), STEPS)
def test_when_all_of_the_new_set_is_ready_and_traffic_has_moved_the_old_one_goes(wanted: int, step: Step) -> None:
    assume(step is not Step.HOLDING)
    found = goals(Held("new", wanted, wanted), [Held("old", wanted, wanted)], wanted, step)
    assert found == {"new": wanted, "old": 0}


@given(held("old"))
def test_an_old_revision_that_is_good_is_healed_beside_a_target_that_is_not_ready(old: Held) -> None:
    assume(old.count)
    found = goals(Held("new", 1, 0), [replace(old, good=True)], old.count, Step.SURGING)
    assert found == {"new": 1, "old": old.count}


def test_an_old_revision_that_never_worked_makes_way_at_once() -> None:
    assert goals(Held("new", 1, 0), [Held("old", 3, 0)], 3, Step.SURGING)["old"] == 0


def test_a_step_that_was_reached_is_not_left() -> None:
    assert step_of(RolloutStrategy.AUTO, Step.EXCHANGING, no_room=False, whole=False, unserved=False) == "Exchanging"
    assert step_of(RolloutStrategy.BLUE_GREEN, Step.SWITCHED, no_room=False, whole=False, unserved=False) == "Switched"


def test_nothing_is_held_off_traffic_where_nobody_else_serves() -> None:
    assert step_of(RolloutStrategy.BLUE_GREEN, None, no_room=False, whole=False, unserved=True) == "Switched"
