"""A new revision takes over, or is given up, and those who serve do not notice."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.plan.planner import plan
from stoker.core.plan.rollout.handing_over import SPARE_SECONDS
from tests.unit.plan.builders import cluster
from tests.unit.plan.rollout_world import ROUND_SECONDS, SURGE_WAIT_SECONDS, RolloutWorld, world

STRATEGIES = ("Auto", "Surge", "Replace", "BlueGreen")


def rolled_out(of: RolloutWorld, revision: str) -> bool:
    return of.revisions_of_pods == {revision} and of.model.status.good_revision == revision


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("warm", [0, 1])
def test_with_room_every_strategy_comes_to_its_end(strategy: str, warm: int) -> None:
    toy = world(3, warm=warm)
    new = toy.edit(3, 2, warm, strategy=strategy)
    toy.quiet()
    assert rolled_out(toy, new)
    assert (len(toy.serving()), len(toy.serving("warm"))) == (3, warm)
    assert toy.least_serving >= (2 if (strategy, warm) == ("Replace", 0) else 3)
    assert not plan(toy.snapshot()).actions


@pytest.mark.parametrize("strategy", ["Auto", "Replace"])
@pytest.mark.parametrize("warm", [0, 1])
def test_on_a_full_cluster_one_replica_at_a_time_is_exchanged(strategy: str, warm: int) -> None:
    toy = world(4 - warm, gpus=4, warm=warm)
    new = toy.edit(4 - warm, 2, warm, strategy=strategy)
    toy.quiet()
    assert rolled_out(toy, new)
    assert toy.least_serving >= 3, "one fewer without a warm replica, none with one"


@pytest.mark.parametrize("strategy", ["Surge", "BlueGreen"])
def test_on_a_full_cluster_what_wants_room_waits_and_says_so(strategy: str) -> None:
    toy = world(4, gpus=4)
    new = toy.edit(4, 2, strategy=strategy)
    toy.quiet()
    assert toy.least_serving == 4
    assert toy.condition("Scheduled") == ("False", "Unschedulable")
    toy.edit(4, 2, strategy="Auto")
    toy.quiet()
    assert rolled_out(toy, new)
    assert toy.least_serving == 3


@pytest.mark.parametrize(("strategy", "warnings"), [("Auto", 1), ("Replace", 0)])
def test_that_each_new_replica_waits_for_the_place_of_an_old_one_is_no_news(strategy: str, warnings: int) -> None:
    """The one that finds no room beside the old ones is; then it is known that there is none."""
    toy = world(4, gpus=4)
    new = toy.edit(4, 2, strategy=strategy)
    waited = False
    while not rolled_out(toy, new):
        toy.round()
        if toy.state(new) == "Exchanging":
            assert toy.condition("Scheduled") != ("False", "Unschedulable")
            assert toy.condition("Degraded")[0] == "False"
            waited = waited or toy.condition("Scheduled") == ("Unknown", "Starting")
    assert waited
    assert (toy.told.count("Unschedulable"), toy.told.count("AllScheduled")) == (warnings, 0)


def test_where_one_gpu_is_spare_no_wait_for_an_old_replica_is_told() -> None:
    toy = world(3, gpus=4)
    new = toy.edit(3, 2)
    toy.quiet()
    assert rolled_out(toy, new)
    assert toy.least_serving >= 3
    assert "Unschedulable" not in toy.told


def test_a_first_revision_and_a_larger_number_that_find_no_room_are_told_at_once() -> None:
    toy = world(3, gpus=4)
    toy.edit(6, 1)
    toy.rounds(4)
    assert toy.condition("Scheduled") == ("False", "Unschedulable")
    assert toy.told.count("Unschedulable") == 1


def test_a_place_that_somebody_else_takes_is_told_once_the_wait_is_longer_than_an_old_replica_takes_to_leave() -> None:
    toy = world(4, gpus=4)
    new = toy.edit(4, 2, strategy="Replace")
    toy.gpus = 3  # another tenant has it as soon as it is free
    toy.rounds(8)
    assert len(toy.serving()) == 3
    assert toy.condition("Scheduled") == ("Unknown", "Starting")
    longest = toy.model.spec.drain.grace_seconds + SPARE_SECONDS
    look_again = plan(toy.snapshot()).look_again_seconds
    assert look_again is not None
    assert 0 < look_again <= longest
    toy.rounds(longest // ROUND_SECONDS)
    assert toy.condition("Scheduled") == ("False", "Unschedulable")
    assert toy.condition("Degraded") == ("True", "Unschedulable")
    assert toy.told.count("Unschedulable") == 1
    assert toy.state(new) == "Exchanging"


def test_a_full_cluster_is_waited_for_once_and_not_at_each_replica() -> None:
    toy = world(4, gpus=4)
    new = toy.edit(4, 2)
    while toy.state(new) != "Exchanging":
        assert toy.least_serving >= 4
        toy.round()
    assert toy.seconds >= SURGE_WAIT_SECONDS
    began = toy.seconds
    while not rolled_out(toy, new):
        toy.round()
    assert toy.seconds - began < 4 * SURGE_WAIT_SECONDS
    assert toy.least_serving == 3
    assert toy.told.count("Exchanging") == 1


def test_a_quota_is_not_waited_for() -> None:
    toy = world(2)
    toy.edit(2, 2)
    toy.look()
    (new,) = [name for name, held in toy.replica_sets.items() if held.count == 1]
    failed = {"failure": 'pods "x" is forbidden: exceeded quota: gpus', "pods": 0, "observed": True}
    toy._change_replica_set(toy.replica_sets[new].identity, **failed)
    planned = toy.look()
    assert [entry.state for entry in planned.status.revisions] == ["Exchanging", "Old"]


def test_what_lacks_more_than_room_takes_no_place_from_an_old_replica() -> None:
    toy = world(2, gpus=2)
    toy.edit(2, 2)
    for _ in range(SURGE_WAIT_SECONDS):
        toy.round()
        for found in list(toy.pods.values()):
            if found.unschedulable:
                toy._change_pod(found.identity, unschedulable='persistentvolumeclaim "weights" not found')
    assert toy.least_serving == 2


def test_a_second_set_takes_no_traffic_before_all_of_it_is_ready() -> None:
    toy = world(3)
    new = toy.edit(3, 2, strategy="BlueGreen")
    for _ in range(100):
        toy.round()
        serving = {pod.revision for pod in toy.serving()}
        if new in serving:
            break
        assert toy.state(new) in {None, "Holding"}
    assert sum(pod.revision == new for pod in toy.serving()) == 3, "all of them came into traffic in one look"
    toy.round()
    assert {pod.revision for pod in toy.serving()} == {new}, "and all of the old ones went in the next"
    assert toy.told.count("Switched") == 1
    assert len(toy.serving()) == 3


def test_a_second_set_of_which_one_replica_never_loads_takes_no_traffic() -> None:
    toy = world(3, gpus=5)
    toy.edit(3, 2, strategy="BlueGreen")
    toy.quiet()
    assert len(toy.serving()) == toy.least_serving == 3


def test_a_replica_that_flaps_after_the_switch_moves_no_traffic_back() -> None:
    toy = world(2)
    new = toy.edit(2, 2, strategy="BlueGreen")
    while toy.state(new) != "Switched":
        toy.round()
    flapping = next(index for index, name in enumerate(sorted(toy.pods)) if toy.pods[name].revision == new)
    toy.flaps(flapping)
    for _ in range(5):
        toy.look()
        assert toy.state(new) == "Switched"
    toy.quiet()
    assert rolled_out(toy, new)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("fault", ["crashing", "never_ready"])
@pytest.mark.parametrize(("warm", "gpus"), [(0, 3), (0, 4), (1, 3), (1, 100)])
def test_a_broken_revision_is_given_up_and_costs_at_most_one_replica(
    strategy: str, fault: str, warm: int, gpus: int
) -> None:
    toy = world(3 - warm, gpus=gpus, warm=warm)
    good = toy.model.status.current_revision
    broken = toy.edit(3 - warm, 2, warm, strategy=strategy, deadlineSeconds=60)
    getattr(toy, fault).add(broken)
    old = {name for name, pod in toy.pods.items() if pod.revision == good}
    toy.quiet()
    assert len(toy.serving()) == 3 - warm
    assert toy.least_serving >= (3 - warm if warm or strategy != "Replace" else 2) - (gpus == 3 and not warm)
    if strategy in ("Surge", "BlueGreen") and gpus == 3:
        return  # it never had a GPU
    assert toy.revisions_of_pods == {good}
    assert len(old - set(toy.pods)) <= 1
    assert toy.condition("Stalled") == ("True", "RolledBack")
    assert toy.condition("Ready") == ("True", "Serving")
    assert toy.state(broken) == "Failed"
    assert toy.told.count("RolledBack") == 1


def test_a_revision_that_was_given_up_is_not_tried_again_until_the_spec_changes() -> None:
    toy = world(2)
    broken = toy.edit(2, 2)
    toy.crashing.add(broken)
    toy.quiet()
    toy.made.clear()
    toy.edit(3, 2)
    toy.quiet()
    assert not [name for name in toy.made if broken in name], "more replicas are another number, not another spec"
    assert len(toy.serving()) == 3
    toy.crashing.clear()
    toy.edit(3, 1)
    toy.quiet()
    toy.edit(3, 2)
    toy.quiet()
    assert rolled_out(toy, broken)


def test_after_many_revisions_an_old_one_that_fails_now_is_remembered_all_the_same() -> None:
    toy = world(1)
    names = {toy.edit(1, version): version for version in range(14, 1, -1)}
    for version in range(2, 15):
        toy.edit(1, version)
        toy.quiet()
    good = toy.model.status.good_revision
    old = min(toy.revisions.values(), key=lambda revision: revision.number).name
    toy.crashing.add(old)
    toy.edit(1, names[old])
    toy.quiet()
    assert toy.state(old) == "Failed"
    assert toy.revisions_of_pods == {good}


def test_without_automatic_rollback_a_failure_is_told_and_nothing_else() -> None:
    toy = world(2)
    broken = toy.edit(2, 2, autoRollback=False)
    toy.crashing.add(broken)
    toy.rounds(60)
    assert toy.condition("Stalled") == ("True", "RolloutFailed")
    waits = plan(toy.snapshot()).look_again_seconds
    assert waits is None or waits > 1, "nothing will be different in a moment"
    assert toy.revisions_of_pods >= {broken}
    assert toy.least_serving == 2
    toy.edit(2, 2)
    toy.quiet()
    assert toy.condition("Stalled") == ("True", "RolledBack")


def test_a_replica_that_is_ready_only_now_stands_for_nobody_yet() -> None:
    toy = world(1)
    new = toy.edit(1, 2)
    while not any(pod.revision == new and pod.ready for pod in toy.pods.values()):
        toy.round()
    toy.seconds -= ROUND_SECONDS
    planned = toy.look()
    assert not toy.detached
    assert planned.look_again_seconds == cluster().configuration.rollouts.proving_seconds
    toy.seconds += planned.look_again_seconds
    toy.look()
    assert len(toy.detached) == 1


def test_waiting_for_a_node_is_no_failure() -> None:
    toy = world(2, gpus=2)
    new = toy.edit(2, 2, strategy="Surge", deadlineSeconds=60)
    toy.rounds(100)
    assert toy.condition("Stalled")[0] == "False"
    toy.gpus = 3
    toy.quiet()
    assert rolled_out(toy, new)


def test_what_goes_wrong_with_a_good_revision_later_is_no_failed_rollout() -> None:
    toy = world(2)
    new = toy.edit(2, 2)
    toy.quiet()
    toy.crashing.add(new)
    toy.flaps(0)
    toy.rounds(20)
    assert toy.revisions_of_pods == {new}
    assert toy.condition("Stalled")[0] == "False"


def test_a_paused_rollout_stays_as_it_is_and_goes_on_where_it_was() -> None:
    toy = world(4)
    new = toy.edit(4, 2)
    while sum(pod.revision == new and pod.ready for pod in toy.pods.values()) < 2:
        toy.round()
    toy.edit(4, 2, paused=True)
    toy.rounds(20)
    counts = {held.revision: held.count for held in toy.replica_sets.values()}
    toy.rounds(20)
    assert {held.revision: held.count for held in toy.replica_sets.values()} == counts
    assert toy.condition("Progressing") == ("False", "RolloutPaused")
    assert len(counts) == 2
    kept = {name for name, pod in toy.pods.items() if pod.revision == new}
    toy.edit(4, 2)
    toy.quiet()
    assert rolled_out(toy, new)
    assert kept <= set(toy.pods)


def test_a_third_revision_in_the_midst_takes_over_from_both() -> None:
    toy = world(4)
    second = toy.edit(4, 2)
    while sum(pod.revision == second and pod.ready for pod in toy.pods.values()) < 2:
        toy.round()
    third = toy.edit(4, 3)
    toy.quiet()
    assert rolled_out(toy, third)
    assert toy.least_serving >= 4
    assert len([name for name in toy.made if third in name]) <= 4 + 1


def test_a_pinned_revision_runs_until_it_is_unpinned() -> None:
    toy = world(2)
    first = toy.model.status.current_revision
    second = toy.edit(2, 2)
    toy.quiet()
    toy.edit(2, 2, revision=first)
    toy.quiet()
    assert toy.revisions_of_pods == {first}
    toy.edit(2, 2)
    toy.quiet()
    assert rolled_out(toy, second)
    assert toy.least_serving == 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(1, 4), st.sampled_from(STRATEGIES)),
        st.tuples(st.just("pause"), st.integers(1, 4), st.sampled_from(STRATEGIES)),
        st.tuples(st.just("rounds"), st.integers(1, 12), st.booleans()),
        st.tuples(st.just("crash"), st.integers(0, 6), st.none()),
        st.tuples(st.just("break"), st.integers(2, 4), st.sampled_from(["crashing", "never_ready"])),
    ),
    max_size=14,
)


@settings(max_examples=60)
@given(STEPS, st.integers(0, 1), st.sampled_from([4, 5, 100]))
def test_whatever_is_edited_in_the_midst_nobody_goes_short_and_it_ends(
    steps: list[tuple[str, int, Any]], warm: int, gpus: int
) -> None:
    """Four replicas; versions that load or fail, rollouts that are paused, strategies that change, an operator that
    ends at any write. Version 1 is good."""
    serving = 4 - warm
    toy = world(serving, gpus, warm)
    names: dict[int, str] = {}
    for step, number, how in steps:
        if step in ("edit", "pause"):
            names[number] = toy.edit(serving, number, warm, strategy=how, deadlineSeconds=60, paused=step == "pause")
        elif step == "break":
            broken = names.get(number) or toy.edit(serving, number, warm)
            if broken != toy.model.status.good_revision and broken not in toy.revisions_of_pods:
                getattr(toy, how).add(broken)
        elif step == "crash":
            toy.look(most_writes=number)
        else:
            for index in range(number):
                toy.round(readiness=not how or index % 3 == 0)
    floor = serving if warm else serving - 1
    assert toy.least_serving >= floor
    toy.crashing.clear()
    toy.never_ready.clear()
    final = toy.edit(serving, 9, warm, deadlineSeconds=600)
    toy.quiet()
    assert rolled_out(toy, final)
    assert toy.least_serving >= floor
    assert (len(toy.serving()), len(toy.serving("warm"))) == (serving, warm)
    assert plan(toy.snapshot()).status == toy.model.status
