"""A frozen fleet is neither scaled nor rolled out, and heals."""

from dataclasses import replace

from stoker.core.names import FREEZE_CONFIG_MAP
from stoker.core.plan.planner import plan
from stoker.kube.freeze import reason_of
from tests.unit.plan.builders import deployment
from tests.unit.plan.test_replicas_converge import edited, settled
from tests.unit.plan.toy_cluster import ToyCluster


def frozen(toy: ToyCluster, reason: str = "maintenance") -> ToyCluster:
    toy.settings = replace(toy.settings, frozen=reason)
    return toy


def looked(toy: ToyCluster) -> None:
    for _ in range(20):
        toy.look()
        toy.controller_acts()
        toy.kubelet_acts()
        toy.seconds += 2


def test_no_count_moves_while_the_fleet_is_frozen() -> None:
    toy = frozen(settled(3))
    before = set(toy.pods)
    edited(toy, 6, context_length=8192)
    looked(toy)
    assert set(toy.pods) == before
    limited = {condition.type: condition for condition in toy.model.status.conditions}["ScalingLimited"]
    assert (limited.status, limited.reason) == ("True", "ScalingFrozen")
    assert "maintenance" in limited.message


def test_what_was_held_back_is_done_once_it_is_thawed() -> None:
    toy = frozen(settled(3))
    edited(toy, 5)
    looked(toy)
    frozen(toy, "")
    toy.until_settled()
    assert len(toy.serving()) == 5


def test_what_dies_is_replaced() -> None:
    toy = frozen(settled(3))
    toy.dies(0)
    looked(toy)
    assert len(toy.serving()) == 3


def test_a_model_that_never_ran_begins() -> None:
    toy = frozen(ToyCluster(deployment(2)))
    looked(toy)
    assert len(toy.serving()) == 2


def test_a_model_is_suspended_all_the_same() -> None:
    toy = frozen(settled(3))
    edited(toy, 3, suspend=True)
    looked(toy)
    assert toy.pods == {}


def test_a_second_look_at_a_frozen_model_writes_nothing() -> None:
    toy = frozen(settled(3))
    looked(toy)
    assert plan(toy.snapshot()).actions == ()


def test_the_reason_is_one_line_of_bounded_length_and_there_is_always_one() -> None:
    item = {"metadata": {"name": FREEZE_CONFIG_MAP}, "data": {"reason": "storage\n" * 200}}
    assert len(reason_of(item)) == 200
    assert "\n" not in reason_of(item)
    assert reason_of({"metadata": {}}) == "no reason given"
