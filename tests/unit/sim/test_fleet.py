"""How replicas are ordered, started, promoted and drained."""

from dataclasses import replace

from stoker.core.names import Tier
from stoker.core.scaling.observation import Stage
from stoker.sim.faults import Faults, SlowStarts, Span
from stoker.sim.setup import Setup
from tests.unit.sim.fleets import STARTING, Rig

SETUP = Setup(starting=STARTING, maximum=10)


def test_a_cold_start_is_queued_pulled_and_loaded_in_its_time() -> None:
    tested = Rig(SETUP)
    tested.order(2)
    assert [pod.stage for pod in tested.starting] == [Stage.QUEUED]
    tested.until(4.0)
    assert [pod.stage for pod in tested.starting] == [Stage.PULLING]
    tested.until(30.0)
    assert [pod.stage for pod in tested.starting] == [Stage.LOADING]
    tested.until(60.9)
    assert len(tested.serving) == 1
    tested.until(61.1)
    assert len(tested.serving) == len(tested.traffic.servers) == 2


def test_ordering_the_same_again_orders_nothing_more() -> None:
    tested = Rig(SETUP)
    for _ in range(5):
        tested.order(3)
    assert len(tested.fleet.pods) == 3


def test_a_warm_replica_serves_at_once_and_is_replaced() -> None:
    tested = Rig(replace(SETUP, warm=1))
    (warm,) = tested.of(Tier.WARM)
    tested.order(2, warm=1)
    tested.until(2.0)
    assert warm.server in tested.traffic.servers
    assert [pod.tier for pod in tested.starting] == [Tier.WARM]
    tested.until(100.0)
    assert len(tested.of(Tier.WARM)) == 1


def test_a_starting_replica_that_a_warm_one_overtakes_becomes_the_warm_one() -> None:
    tested = Rig(SETUP)
    tested.order(2)
    tested.order(1, warm=1)
    (starting,) = tested.starting
    assert starting.tier is Tier.WARM
    tested.until(70.0)
    assert (len(tested.serving), len(tested.of(Tier.WARM)), len(tested.fleet.pods)) == (1, 1, 2)


def test_a_sleeper_wakes_in_its_time() -> None:
    tested = Rig(replace(SETUP, asleep=1))
    tested.order(2)
    tested.until(3.9)
    assert len(tested.serving) == 1
    tested.until(4.1)
    assert len(tested.serving) == 2
    assert not tested.starting


def test_a_cancelled_starting_replica_is_no_instant_sleeper() -> None:
    tested = Rig(replace(SETUP, asleep=1))
    tested.order(2)  # wakes the sleeper
    tested.until(10.0)
    tested.order(4)  # two cold ones
    tested.until(20.0)
    tested.order(2)  # cancelled
    assert len(tested.fleet.pods) == 2
    assert not tested.of(Tier.ASLEEP)
    tested.order(4)
    tested.until(30.0)
    assert len(tested.serving) == 2, "they start anew, and do not wake"


def test_a_replica_that_leaves_is_drained_before_it_sleeps() -> None:
    tested = Rig(replace(SETUP, asleep=1), 2)
    tested.order(3)
    tested.until(10.0)
    for pod in tested.serving:
        tested.occupy(pod)
    tested.order(2)
    tested.until(100.0)
    assert [pod.in_flight for pod in tested.of(Tier.DRAINING)] == [1]
    tested.until(400.0)
    assert not tested.of(Tier.DRAINING)


def test_a_sleeper_is_not_deleted_to_make_room_for_another() -> None:
    tested = Rig(replace(SETUP, asleep=1), 3)
    (sleeper,) = tested.of(Tier.ASLEEP)
    tested.order(2)
    tested.until(10.0)
    assert tested.of(Tier.ASLEEP) == [sleeper]
    assert len(tested.fleet.pods) == 3


def test_one_without_requests_is_off_traffic_for_a_second_and_then_gone() -> None:
    tested = Rig(SETUP, 2)
    tested.order(1)
    assert len(tested.traffic.servers) == 2, "the routers do not know yet"
    tested.until(2.1)
    assert len(tested.traffic.servers) == len(tested.fleet.pods) == 1
    assert not tested.traffic.cut


def test_the_deadline_of_a_drain_cuts_what_is_left() -> None:
    tested = Rig(replace(SETUP, drain_seconds=30.0), 2)
    for pod in tested.serving:
        tested.occupy(pod)
    tested.order(1)
    tested.until(30.0)
    assert len(tested.fleet.pods) == 2
    tested.until(32.0)
    assert len(tested.fleet.pods) == 1
    assert len(tested.traffic.cut) == 1


def test_the_one_with_the_least_in_flight_leaves() -> None:
    tested = Rig(SETUP, 3)
    idle = tested.serving[1]
    for pod in tested.serving:
        if pod is not idle:
            tested.occupy(pod)
    tested.order(2)
    assert tested.of(Tier.DRAINING) == [idle]


def test_a_demoted_replica_finishes_its_requests_while_it_is_warm() -> None:
    tested = Rig(SETUP, 2)
    request = tested.occupy(tested.serving[0], output_tokens=500)
    tested.occupy(tested.serving[1])
    tested.occupy(tested.serving[1])
    tested.order(1, warm=1)
    tested.until(3.0)
    assert len(tested.traffic.servers) == 1
    (warm,) = tested.of(Tier.WARM)
    assert warm.in_flight == 1
    assert not request.gone


def test_no_more_than_the_maximum_are_ordered() -> None:
    tested = Rig(replace(SETUP, maximum=3))
    tested.order(9, warm=4)
    assert len(tested.fleet.pods) == 3


def test_replicas_without_a_gpu_are_queued_and_cost_nothing() -> None:
    tested = Rig(SETUP, gpus=2)
    tested.order(4)
    tested.until(200.0)
    assert (len(tested.serving), [pod.stage for pod in tested.starting]) == (2, [Stage.QUEUED, Stage.QUEUED])
    tested.fleet.ledger.begins = 0.0
    tested.fleet.settle(200.0)
    assert tested.pool.used == 2


def test_while_nothing_can_be_scheduled_orders_wait_and_go_on_after() -> None:
    tested = Rig(replace(SETUP, faults=Faults(unschedulable=(Span(0.5, 50.0),))))
    for moment in tested.pool.reopens:
        tested.agenda.at(moment, tested.pool.serve)
    tested.order(2)
    tested.until(49.0)
    assert [pod.stage for pod in tested.starting] == [Stage.QUEUED]
    tested.until(111.0)
    assert len(tested.serving) == 2


def test_a_slow_start_takes_longer_by_its_factor() -> None:
    slow = Faults(slow_starts=(SlowStarts(Span(0.0, 1_000.0), 3.0),))
    tested = Rig(replace(SETUP, faults=slow))
    tested.order(2)
    tested.until(170.0)
    assert len(tested.serving) == 1
    tested.until(180.0)
    assert len(tested.serving) == 2


def test_a_crash_cuts_what_was_in_flight_and_the_container_loads_again() -> None:
    tested = Rig(SETUP, 2)
    busy = tested.serving[1]
    tested.occupy(busy)
    tested.fleet.crash(tested.now)
    assert [pod.uid for pod in tested.starting] == [busy.uid]
    assert len(tested.traffic.cut) == len(tested.traffic.servers) == 1
    tested.until(100.0)
    assert len(tested.serving) == 2
    assert busy.boot == 2


def test_gpu_time_is_booked_by_what_it_is_spent_on() -> None:
    tested = Rig(SETUP)
    tested.fleet.ledger.begins = 1.0
    tested.order(2)
    tested.until(101.0)
    tested.fleet.settle(101.0)
    spent = tested.fleet.ledger.gpu_seconds
    assert round(spent["starting"]) == 60
    assert round(spent["serving"]) == 100 + 40
    assert sum(spent.values()) == 200.0
