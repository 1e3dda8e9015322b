"""What becomes of a demand: the number for the plan, the condition for a person, the memory for a restart."""

from stoker.api.v1alpha1.reason import Reason
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Reading, Stage
from tests.unit.follow.builders import FULL, replica, scaled, subject


def test_a_quiet_model_keeps_its_floor_and_follows_the_load() -> None:
    found = scaled(replica())
    assert (found.serving, found.warm, found.active, found.reason) == (1, 0, True, Reason.FOLLOWING_LOAD)
    assert (found.waiting_requests, found.running_requests) == (0, 0)


def test_before_any_replica_is_ready_the_floor_is_wanted_and_the_load_is_not_known() -> None:
    found = scaled(of=subject(2))
    assert (found.serving, found.active, found.reason) == (2, None, Reason.NO_READY_REPLICA)
    assert found.waiting_requests is None


def test_a_replica_that_does_not_tell_its_load_holds_the_number() -> None:
    blind = replica(1, reading=Reading.UNKNOWN, load=None)
    found = scaled(replica(0), blind, memory=Memory(wanted=2))
    assert (found.serving, found.active, found.reason) == (2, False, Reason.LOAD_UNKNOWN)
    assert "1 of 2" in found.message


def test_a_replica_that_answers_too_late_is_full_and_not_idle() -> None:
    found = scaled(replica(reading=Reading.SATURATED, load=None))
    assert found.serving >= 1
    assert found.reason == Reason.LOAD_SATURATED


def test_more_than_the_maximum_is_said_and_not_ordered() -> None:
    found = scaled(replica(load=FULL), of=subject(maxReplicas=1))
    assert found.serving == 1
    assert found.limit
    assert found.limit.reason == Reason.AT_MAXIMUM


def test_a_full_fleet_grants_what_there_is_and_says_so() -> None:
    found = scaled(replica(load=FULL), devices=1)
    assert found.serving == 1
    assert found.limit
    assert found.limit.reason == Reason.NO_CAPACITY_LEFT


def test_the_floor_is_ordered_even_where_there_is_no_room() -> None:
    assert scaled(of=subject(3), devices=0).serving == 3


def test_replicas_that_wait_for_a_node_bound_the_next_order() -> None:
    busy = [replica(number, load=FULL) for number in range(10)]
    waiting = replica(10, stage=Stage.PROVISIONING, load=None)
    of = subject(1, {"scaling": {"maxPendingReplicas": 1}}, maxReplicas=20)
    found = scaled(*busy, waiting, of=of)
    assert found.serving == 11
    assert found.limit
    assert found.limit.reason == Reason.REPLICAS_PENDING


def test_a_rollout_holds_the_number() -> None:
    found = scaled(replica(load=FULL), frozen=True, memory=Memory(wanted=1))
    assert found.serving == 1
    assert found.limit
    assert found.limit.reason == Reason.SCALING_FROZEN


def test_observing_records_and_says_so() -> None:
    found = scaled(replica(load=FULL), of=subject(mode="Observe"))
    assert found.reason == Reason.OBSERVING_LOAD
    assert found.message.startswith("Observing: ")


def test_a_change_is_kept_with_its_time_and_its_inputs() -> None:
    kept = scaled(replica(load=FULL), memory=Memory(wanted=1)).memory
    assert kept
    assert kept.decision == "ScaleUp"
    assert kept.decision_time == kept.last_up_time == "2026-11-21T08:00:00Z"
    assert kept.explanation
    assert "KV" in kept.explanation


def test_warm_replicas_give_way_to_serving_ones_below_the_maximum() -> None:
    found = scaled(replica(load=FULL), of=subject(maxReplicas=2, warmReplicas=2))
    assert (found.serving, found.warm) == (2, 0)
