"""Never more models roll out than may, whoever is looked at first, and each comes to its turn."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.plan.actions import Plan
from stoker.handlers.rollout_turns import RolloutTurns
from stoker.kube.resources import Key
from tests.unit.plan.builders import cluster
from tests.unit.plan.rollout_world import SURGE_WAIT_SECONDS, RolloutWorld, world


class Fleet:
    """Models that are looked at one by one, by one process after the other."""

    def __init__(self, models: int, most: int, seed: int) -> None:
        rollouts = {"surgeWaitSeconds": SURGE_WAIT_SECONDS, "modelsAtOnce": most}
        bounded = cluster(has_leader_worker_sets=True, configuration={"rollouts": rollouts})
        self.worlds = {Key("models", f"m{number}"): world(2) for number in range(models)}
        for each in self.worlds.values():
            each.settings = bounded
        self.woken: list[Key] = []
        self._chance = random.Random(seed)  # noqa: S311
        self.begins()

    def begins(self) -> None:
        self.turns = RolloutTurns(self.woken.append)

    def looks(self) -> None:
        """At all, in any order."""
        for key in self._chance.sample(sorted(self.worlds), len(self.worlds)):
            self.look(key)

    def look(self, key: Key) -> None:
        toy = self.worlds[key]
        status = toy.model.status.model_dump(mode="json", by_alias=True)
        self.turns.looks_at(key, {"metadata": {}, "spec": {}, "status": status})
        toy.elsewhere = self.turns.elsewhere(key, len(self.worlds))
        plan = toy.look()
        self.turns.planned(key, plan)
        self.turns.said(key, plan)
        toy.controller_acts()
        toy.kubelet_acts()
        toy.seconds += 5

    def rolling(self) -> list[RolloutWorld]:
        """Those in which replicas of two revisions are."""
        return [each for each in self.worlds.values() if len(each.revisions_of_pods) > 1]


@settings(max_examples=40)
@given(st.integers(1, 2), st.integers(0, 2**16), st.sets(st.integers(0, 30)))
def test_never_more_than_may_and_each_comes_to_its_turn(most: int, seed: int, restarts: set[int]) -> None:
    fleet = Fleet(3, most, seed)
    fleet.looks()
    wanted = {key: each.edit(2, 2) for key, each in fleet.worlds.items()}
    for number in range(100):
        if number in restarts:
            fleet.begins()
        fleet.looks()
        assert len(fleet.rolling()) <= most
        if all(each.revisions_of_pods == {wanted[key]} for key, each in fleet.worlds.items()):
            return
    raise AssertionError("not everybody came to a turn")


def test_who_waits_the_longest_is_woken_when_a_turn_ends_or_its_model_goes() -> None:
    fleet = Fleet(4, 1, 1)
    fleet.looks()
    first, second, third, fourth = sorted(fleet.worlds)
    for key in (first, second, third, fourth):
        fleet.worlds[key].edit(2, 2)
        fleet.look(key)
    assert fleet.woken == []
    while not fleet.woken:
        fleet.look(first)
    assert fleet.woken == [second]
    fleet.look(second)
    del fleet.worlds[second]
    fleet.turns.forget(second)
    assert fleet.woken == [second, third]
    fleet.look(third)
    fleet.turns.looks_at(third, {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
    assert fleet.woken == [second, third, fourth]


def test_a_turn_is_over_when_the_status_says_so() -> None:
    fleet = Fleet(2, 1, 1)
    fleet.looks()
    first, second = sorted(fleet.worlds)
    for key in (first, second):
        fleet.worlds[key].edit(2, 2)
        fleet.look(key)
    ended = Plan((), fleet.worlds[first].model.status, (), None)
    fleet.turns.planned(first, ended)
    assert fleet.turns.elsewhere(second, 2) == (str(first),)
    assert fleet.woken == []
    fleet.turns.said(first, ended)
    assert fleet.turns.elsewhere(second, 2) == ()
    assert fleet.woken == [second]
