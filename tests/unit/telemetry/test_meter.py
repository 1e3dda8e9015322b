"""Device-seconds, cost and start-ups add up over time that is given."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.names import Tier
from stoker.core.plan.snapshot import Pod
from stoker.core.pool.replaced import Replaced
from stoker.core.scaling.observation import Stage
from stoker.telemetry.devices import Held, Prices, State, held_by
from stoker.telemetry.meter import LONGEST_STEP_SECONDS, Meter
from tests.unit.plan.builders import NOW
from tests.unit.telemetry.fleet import GPU, H100, PRODUCTS, explanation, loading, replica, starting

EIGHT = ((GPU, 8),)


def states(*pods: Pod, in_flight: dict[str, int] | None = None) -> list[State]:
    return [held.state for held in held_by(pods, GPU, PRODUCTS, (in_flight or {}).get)]


def started(meter: Meter[str], model: str) -> dict[str, float]:
    """Seconds by stage, of those in which a replica was seen."""
    startups = meter.account(model).startups
    return {stage: counted.total for stage, counted in startups.items() if sum(counted.counts)}


def test_what_a_device_does_is_what_its_replica_is() -> None:
    found = states(
        replica("busy"),
        replica("idle"),
        replica("nobody-knows"),
        replica("warm", Tier.WARM),
        replica("asleep", Tier.ASLEEP),
        replica("loading", ready=False),
        replica("drains", Tier.DRAINING),
        replica("goes", deleting=True),
        in_flight={"uid-busy": 3, "uid-idle": 0},
    )
    assert found == ["serving", "idle", "serving", "warm", "asleep", "loading", "draining", "draining"]


def test_only_what_is_on_a_node_and_asks_for_the_resource_holds_devices() -> None:
    assert states(replica("pending", node=""), replica("done", phase="Succeeded"), replica("cpu", devices=())) == []
    assert states(replica("rdma", devices=(("rdma/hca", 1),))) == []


def test_a_worker_does_what_its_leader_does() -> None:
    leader, worker = replica("leader", Tier.WARM, group="g"), replica("worker", tier="", group="g", ready=False)
    assert states(leader, worker) == ["warm", "warm"]
    assert states(worker) == ["loading"]


def test_what_was_held_at_the_last_look_was_held_until_now() -> None:
    meter = Meter[str](Prices({H100: 3.6}))
    held = list(held_by([replica("a", devices=EIGHT)], GPU, PRODUCTS, lambda _: None))
    meter.hold("llama", held, 10.0)
    assert meter.account("llama").seconds == {(State.SERVING, H100): 0.0}
    meter.hold("llama", [], 10.0)
    meter.hold("llama", [], 10.0)
    account = meter.account("llama")
    assert account.seconds == {(State.SERVING, H100): 80.0}
    assert account.cost == {State.SERVING: pytest.approx(0.08)}


def test_without_a_price_there_is_no_cost_and_another_product_has_the_price_of_the_rest() -> None:
    held = [Held(State.WARM, "L4", 1)]
    for prices, cost in ((Prices({H100: 2.0}), {}), (Prices({H100: 2.0}, 1.0), {State.WARM: 1.0})):
        meter = Meter[str](prices)
        meter.hold("llama", held, 0.0)
        meter.hold("llama", held, 3600.0)
        assert meter.account("llama").cost == cost


def test_time_in_which_the_operator_stood_still_is_held_against_nobody() -> None:
    meter = Meter[str](Prices())
    assert meter.passed(100.0) == 0.0
    assert meter.passed(102.0) == 2.0
    assert meter.passed(101.0) == 0.0
    assert meter.passed(9999.0) == LONGEST_STEP_SECONDS


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(0, 60)), max_size=20))
def test_the_sum_of_all_states_is_devices_times_time(looks: list[tuple[int, float]]) -> None:
    meter = Meter[str](Prices())
    expected, before = 0.0, 0
    for devices, step_seconds in looks:
        meter.hold("llama", [Held(State.IDLE, "", devices)], step_seconds)
        expected, before = expected + before * step_seconds, devices
    assert sum(meter.account("llama").seconds.values()) == pytest.approx(expected)


def test_a_start_is_told_stage_by_stage_and_as_a_whole() -> None:
    meter, born = Meter[str](Prices()), NOW
    at = {
        2.0: starting("a", born),
        4.0: starting("a", born, node="node-1"),
        30.0: loading("a", born),
        90.0: replica("a", created=born, ready_since=born + timedelta(seconds=89)),
    }
    for second, pod in at.items():
        meter.watch("llama", [pod], born + timedelta(seconds=second), second)
    assert started(meter, "llama") == {"queued": 4.0, "pulling": 26.0, "loading": 60.0, "ready": 89.0}


def test_a_replica_that_loses_its_health_does_not_start_again() -> None:
    meter, born = Meter[str](Prices()), NOW
    for second, ready in enumerate((False, True, False, True)):
        pod = replica("a", created=born, ready=ready)
        meter.watch("llama", [pod], born + timedelta(seconds=second), float(second))
    assert sum(meter.account("llama").startups[Stage.READY].counts) == 1


def test_of_a_start_that_began_before_this_operator_led_only_the_whole_is_told() -> None:
    meter, born = Meter[str](Prices()), NOW - timedelta(minutes=5)
    meter.watch("llama", [loading("a", born)], NOW, 0.0)
    meter.watch("llama", [replica("a", created=born, ready_since=NOW)], NOW, 2.0)
    assert started(meter, "llama") == {"ready": 300.0}
    meter.watch("old", [replica("b", created=born)], NOW, 2.0)
    assert started(meter, "old") == {}


def test_a_decision_counts_once_for_each_of_its_reasons_where_it_changes_something() -> None:
    meter = Meter[str](Prices())
    meter.decided("llama", explanation(before=1, serving=3, reasons=("Rate", "Backlog")))
    meter.decided("llama", explanation(before=3, serving=3, reasons=("Held",)))
    meter.decided("llama", explanation(before=3, serving=2, reasons=("Step",)))
    assert meter.account("llama").decisions == {("up", "Rate"): 1, ("up", "Backlog"): 1, ("down", "Step"): 1}


def test_a_model_that_is_gone_is_forgotten_and_one_of_its_name_begins_at_zero() -> None:
    meter = Meter[str](Prices())
    meter.hold("llama", [Held(State.IDLE, "", 1)], 1.0)
    meter.hold("llama", [], 1.0)
    meter.forget_all_but({"other"})
    assert meter.account("llama").seconds == {}


def test_what_was_ended_for_another_one_is_counted_from_zero_on() -> None:
    meter = Meter[str](Prices())
    assert meter.account("llama").replaced == {"WakeUpFailed": 0, "WakeUpLate": 0, "DeviceFault": 0}
    meter.replaced("llama", Replaced.WAKE_UP_LATE)
    assert meter.account("llama").replaced[Replaced.WAKE_UP_LATE] == 1
