"""Where only so many models may roll out at once, the others wait for their turn, and lose nothing by it."""

import pytest

from stoker.core.plan.planner import plan
from tests.unit.plan.builders import cluster, deployment
from tests.unit.plan.rollout_world import SURGE_WAIT_SECONDS, RolloutWorld, world

OTHERS = ("models/a", "models/b")


def bounded(replicas: int, *, gpus: int = 100, warm: int = 0, at_once: int = 2) -> RolloutWorld:
    toy = world(replicas, gpus, warm)
    rollouts = {"surgeWaitSeconds": SURGE_WAIT_SECONDS, "modelsAtOnce": at_once}
    toy.settings = cluster(has_leader_worker_sets=True, configuration={"rollouts": rollouts})
    toy.elsewhere = OTHERS
    return toy


@pytest.mark.parametrize("elsewhere", [OTHERS, None])
@pytest.mark.parametrize("strategy", ["Auto", "Surge", "Replace", "BlueGreen"])
def test_a_model_waits_with_what_it_has_and_then_rolls_out(strategy: str, elsewhere: tuple[str, ...] | None) -> None:
    toy = bounded(3)
    toy.elsewhere = elsewhere
    before = set(toy.pods)
    new = toy.edit(3, 2, strategy=strategy)
    toy.rounds(40)
    assert set(toy.pods) == before
    assert toy.state(new) == "Waiting"
    assert toy.condition("Progressing") == ("True", "RolloutWaiting")
    assert toy.condition("Reconciling") == ("True", "RolloutWaiting")
    assert toy.condition("Ready")[0] == "True"
    assert plan(toy.snapshot()).waits_for_turn
    toy.elsewhere = OTHERS[:1]
    toy.quiet()
    assert toy.revisions_of_pods == {new}


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (1, "models/0 rolls out, as many as rollouts.modelsAtOnce"),
        (5, "models/0, models/1, models/2 and 2 more roll out, as many as rollouts.modelsAtOnce"),
    ],
)
def test_who_waits_says_for_whom(others: int, said: str) -> None:
    toy = bounded(1, at_once=others)
    toy.elsewhere = tuple(f"models/{number}" for number in range(others))
    toy.edit(1, 2)
    toy.rounds(2)
    told = {condition.type: condition.message for condition in plan(toy.snapshot()).status.conditions}
    assert told["Reconciling"].startswith(said)


@pytest.mark.parametrize("gpus", [3, 100])
def test_what_has_begun_goes_on(gpus: int) -> None:
    toy = bounded(3, gpus=gpus)
    toy.elsewhere = ()
    new = toy.edit(3, 2, strategy="Auto")
    toy.rounds(2)
    assert plan(toy.snapshot()).rolls
    toy.elsewhere = OTHERS
    toy.quiet()
    assert toy.revisions_of_pods == {new}


@pytest.mark.parametrize("warm", [0, 1])
def test_what_waits_is_scaled_with_the_revision_that_is_known_to_work(warm: int) -> None:
    toy = bounded(2, warm=warm)
    (old,) = toy.revisions_of_pods
    toy.edit(5, 2, warm)
    toy.rounds(10)
    assert (toy.revisions_of_pods, len(toy.serving())) == ({old}, 5)
    toy.edit(1, 2, warm)
    toy.rounds(30)
    assert (toy.revisions_of_pods, len(toy.serving()), len(toy.serving("warm"))) == ({old}, 1, warm)


def test_what_dies_while_it_waits_is_replaced_as_it_was() -> None:
    toy = bounded(3)
    (old,) = toy.revisions_of_pods
    toy.edit(3, 2)
    toy.rounds(3)
    toy.dies(0)
    toy.rounds(10)
    assert (toy.revisions_of_pods, len(toy.serving())) == ({old}, 3)


def test_a_rollout_that_was_paused_before_it_began_waits_for_its_turn_when_it_goes_on() -> None:
    toy = bounded(3)
    toy.elsewhere = ()
    (old,) = toy.revisions_of_pods
    new = toy.edit(3, 2, paused=True)
    toy.rounds(3)
    assert (toy.revisions_of_pods, toy.state(new)) == ({old}, "Waiting")
    assert toy.condition("Progressing") == ("False", "RolloutPaused")
    toy.elsewhere = OTHERS
    assert toy.edit(3, 2) == new
    toy.rounds(10)
    assert toy.revisions_of_pods == {old}
    assert toy.condition("Progressing") == ("True", "RolloutWaiting")
    toy.elsewhere = ()
    toy.quiet()
    assert toy.revisions_of_pods == {new}


def test_a_rollout_that_was_paused_in_its_midst_goes_on_without_a_turn() -> None:
    toy = bounded(3)
    toy.elsewhere = ()
    new = toy.edit(3, 2)
    toy.rounds(2)
    assert new in toy.revisions_of_pods
    toy.edit(3, 2, paused=True)
    toy.rounds(5)
    toy.elsewhere = OTHERS
    toy.edit(3, 2)
    toy.quiet()
    assert toy.revisions_of_pods == {new}


def test_a_pause_where_nothing_is_to_roll_out_makes_nothing_wait() -> None:
    toy = RolloutWorld(deployment(0), bounded(1).settings)
    only = toy.edit(0, 1, paused=True)
    toy.rounds(3)
    assert toy.state(only) == "Current"


def test_a_way_back_waits_for_nobody() -> None:
    toy = bounded(3)
    toy.elsewhere = ()
    (good,) = toy.revisions_of_pods
    broken = toy.edit(3, 2)
    toy.crashing.add(broken)
    toy.rounds(3)
    toy.elsewhere = OTHERS
    toy.quiet()
    assert toy.revisions_of_pods == {good}


def test_a_revision_that_a_person_pins_waits_for_nobody() -> None:
    toy = bounded(3)
    toy.elsewhere = ()
    (first,) = toy.revisions_of_pods
    toy.edit(3, 2)
    toy.quiet()
    toy.elsewhere = OTHERS
    toy.edit(3, 2, revision=first)
    toy.quiet()
    assert toy.revisions_of_pods == {first}


def test_what_serves_nobody_waits_for_nobody() -> None:
    toy = bounded(2)
    toy.never_ready |= toy.revisions_of_pods
    for index in (0, 1):
        toy.dies(index)
    toy.rounds(3)
    assert not [pod for pod in toy.serving() if pod.ready]
    new = toy.edit(2, 2)
    toy.quiet()
    assert toy.revisions_of_pods == {new}


def test_without_a_bound_nobody_waits() -> None:
    toy = world(3)
    toy.elsewhere = OTHERS * 50
    new = toy.edit(3, 2)
    toy.quiet()
    assert toy.revisions_of_pods == {new}
