"""What agents are told, and what waits for their answers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stoker.core.control_token import ControlKey
from stoker.core.names import Tier
from stoker.core.plan.actions import Action, DeletePod, Replace, Retier, Tell
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Pod
from stoker.core.pool.replaced import Replaced
from stoker.core.pool.report import Gate, Heard, Report, Verb
from tests.unit.plan.builders import NOW, UID, deployment
from tests.unit.plan.toy_cluster import ToyCluster

KEY = ControlKey(b"k" * 32)
DRAINED = Report(Verb.DRAIN, Heard.DONE, Gate.REFUSING, asleep=False, in_flight=0, closed=True)
BUSY = replace(DRAINED, heard=Heard.UNDER_WAY, in_flight=3)
RESTED = Report(Verb.REST, Heard.DONE, Gate.OPEN, asleep=False, in_flight=0)
OPENED = Report(Verb.OPEN, Heard.DONE, Gate.OPEN, asleep=False, in_flight=0)


def world(replicas: int, warm: int, key: ControlKey | None = KEY, **scaling: Any) -> ToyCluster:
    scaling = {"maxReplicas": 20, "warmReplicas": warm} | scaling
    toy = ToyCluster(deployment(replicas, scaling=scaling, drain={"graceSeconds": 100}))
    toy.until_settled()
    toy.settings = replace(toy.settings, control_key=key)
    for name, pod in toy.pods.items():
        toy.pods[name] = replace(pod, ip="10.0.0.1", agent_port=8010)
    return toy


def acted(toy: ToyCluster, reports: dict[str, Report] | None = None, seconds: float = 0.0) -> tuple[Action, ...]:
    at = replace(toy.snapshot(), now=NOW + timedelta(seconds=seconds), reports=reports or {})
    return plan(at).actions


def wanted(toy: ToyCluster, replicas: int, warm: int, **scaling: Any) -> None:
    scaling = {"maxReplicas": 20, "warmReplicas": warm} | scaling
    toy.model = deployment(replicas, toy.model.status, scaling=scaling, drain={"graceSeconds": 100})


def of_tier(toy: ToyCluster, tier: Tier) -> Pod:
    return next(pod for pod in toy.pods.values() if pod.tier == tier)


def test_a_warm_replica_is_drained_opened_again_and_then_left_alone() -> None:
    toy = world(1, 1)
    warm = of_tier(toy, Tier.WARM)
    (told,) = acted(toy)
    assert isinstance(told, Tell)
    assert (told.pod, told.verb, told.model) == (warm.identity, Verb.DRAIN, "llama")
    (told,) = acted(toy, {warm.identity.uid: DRAINED})
    assert isinstance(told, Tell)
    assert told.verb == Verb.REST
    assert acted(toy, {warm.identity.uid: RESTED}) == ()


def test_a_promotion_from_rest_waits_for_no_answer_and_for_no_other_write() -> None:
    toy = world(1, 1)
    warm = of_tier(toy, Tier.WARM)
    wanted(toy, 2, 0)
    first, second, *others = acted(toy, {warm.identity.uid: RESTED})
    assert first == Retier(warm.identity, Tier.SERVING)
    assert isinstance(second, Tell)
    assert second.verb == Verb.OPEN, "so that its rest is forgotten when it is demoted again"
    assert others, "the budget, once traffic is served"


def test_what_serves_is_not_believed_to_rest() -> None:
    """As where the answer to its label was lost, and the order beside it was never given."""
    toy = world(1, 0)
    serving = of_tier(toy, Tier.SERVING)
    (told,) = acted(toy, {serving.identity.uid: RESTED})
    assert isinstance(told, Tell)
    assert told.verb == Verb.OPEN


def test_a_promotion_while_it_drains_opens_first_and_labels_then() -> None:
    toy = world(1, 1)
    warm = of_tier(toy, Tier.WARM)
    wanted(toy, 2, 0)
    orders = [action for action in acted(toy, {warm.identity.uid: DRAINED}) if isinstance(action, Tell | Retier)]
    assert [(type(action), action.pod) for action in orders] == [(Tell, warm.identity)]
    moved = [action for action in acted(toy, {warm.identity.uid: OPENED}) if isinstance(action, Tell | Retier)]
    assert moved == [Retier(warm.identity, Tier.SERVING)]


def test_a_demotion_labels_first_and_drains_then() -> None:
    toy = world(2, 0)
    wanted(toy, 1, 1)
    (moved,) = [action for action in acted(toy) if isinstance(action, Tell | Retier)]
    assert isinstance(moved, Retier)
    assert moved.tier is Tier.WARM


def test_without_a_key_a_label_is_all() -> None:
    toy = world(1, 1, key=None)
    assert acted(toy) == ()
    wanted(toy, 2, 0)
    assert [type(action) for action in acted(toy) if isinstance(action, Tell | Retier)] == [Retier]


def test_an_agent_that_takes_no_orders_is_treated_as_none() -> None:
    toy = world(1, 1)
    warm = of_tier(toy, Tier.WARM)
    assert acted(toy, {warm.identity.uid: Report(Verb.DRAIN, Heard.DEAF)}) == ()


@pytest.mark.parametrize(
    ("report", "reason", "why"),
    [
        (
            Report(Verb.WAKE, Heard.UNDER_WAY, trouble="no token."),
            Replaced.WAKE_UP_FAILED,
            "it did not wake up: no token.",
        ),
        (Report(Verb.WAKE, Heard.UNDER_WAY, for_seconds=240.0), Replaced.WAKE_UP_LATE, "it was not awake 240 s after"),
    ],
)
def test_a_sleeper_that_does_not_wake_is_ended_for_another_replica(report: Report, reason: Replaced, why: str) -> None:
    toy = world(1, 0, asleepReplicas=1)
    name = min(toy.pods)
    toy.pods[name] = sleeper = replace(toy.pods[name], tier=Tier.ASLEEP)
    (ended,) = [each for each in acted(toy, {sleeper.identity.uid: report}) if isinstance(each, Replace)]
    assert (ended.pod, ended.reason) == (sleeper.identity, reason)
    assert ended.why.startswith(why)


def leaves(report: Report, seconds: float, **changes: Any) -> tuple[bool, bool]:
    """Whether a replica that has left the Service so long ago is told to drain, and whether it is deleted."""
    toy = world(2, 0)
    name = min(toy.pods)
    gone: dict[str, Any] = {"tier": "draining", "owner_uid": UID, "draining_since": NOW, "left_from": "gone"}
    toy.pods[name] = replace(toy.pods[name], revision="", **gone | changes)
    wanted(toy, 1, 0)
    actions = acted(toy, {toy.pods[name].identity.uid: report}, seconds)
    mine = [action for action in actions if isinstance(action, Tell | DeletePod) and action.pod.name == name]
    return any(isinstance(each, Tell) for each in mine), any(isinstance(each, DeletePod) for each in mine)


def test_what_leaves_is_drained_for_as_long_as_it_works_and_its_grace_lasts() -> None:
    assert leaves(Report(), 0.5) == (True, False)
    assert leaves(BUSY, 50.0) == (True, False)
    assert leaves(BUSY, 106.0) == (False, True)
    assert leaves(DRAINED, 6.0) == (False, True)


def test_what_leaves_and_is_never_heard_is_left_to_its_own_drain() -> None:
    silent = Report(Verb.DRAIN, Heard.SILENT, failures=3)
    assert leaves(silent, 14.0) == (True, False)
    assert leaves(silent, 16.0) == (False, True)


def test_what_was_heard_to_work_and_fell_silent_keeps_its_grace() -> None:
    assert leaves(replace(BUSY, heard=Heard.SILENT, failures=9), 50.0) == (True, False)


def test_what_leaves_without_an_agent_waits_for_routing_alone() -> None:
    assert leaves(Report(), 4.0, agent_port=0) == (False, False)
    assert leaves(Report(), 5.0, agent_port=0) == (False, True)
