"""Nothing that takes traffic leaves while a warm replica could take its place."""

from collections.abc import Mapping

from stoker.core.plan.actions import Action, Detach, Scale
from stoker.core.plan.replicas import RevisionReplicas, by_revision
from stoker.core.plan.rollout.steps import Step
from stoker.core.plan.rollout.traffic import cover_of
from stoker.core.plan.snapshot import Pod
from stoker.core.pool.seat import Want
from tests.unit.plan.builders import pod, replica_set, snapshot

OLD, NEW = replica_set("aaaaaaaaaa", 2), replica_set("bbbbbbbbbb", 1)
SERVING, ALSO_SERVING = pod("llama-old-1", OLD), pod("llama-old-2", OLD)
WARM = pod("llama-new-1", NEW, tier="warm")
LEAVES = Detach(SERVING.identity, {}, "", "", "")


def world(*pods: Pod) -> Mapping[str, RevisionReplicas]:
    return by_revision(snapshot(replica_sets=(OLD, NEW), pods=pods))


def done(
    *pods: Pod, serving: int, action: Action = LEAVES, tiers_move: bool = False, step: Step = Step.SURGING
) -> list[Action]:
    cover = cover_of([action], world(*pods), Want(serving, 1), "bbbbbbbbbb", step)
    return list(cover.allowed([action], tiers_move=tiers_move))


def wanted(*pods: Pod, serving: int) -> Want:
    return cover_of([LEAVES], world(*pods), Want(serving, 1), "bbbbbbbbbb", Step.SURGING).want


def test_one_more_is_wanted_in_traffic_and_nobody_leaves_before_it_is_there() -> None:
    assert wanted(SERVING, ALSO_SERVING, WARM, serving=2) == Want(3, 0)
    assert done(SERVING, ALSO_SERVING, WARM, serving=2) == []
    promoted = pod("llama-new-1", NEW)
    assert done(SERVING, ALSO_SERVING, promoted, serving=2) == [LEAVES]


def test_where_more_serve_than_wanted_nobody_stands_in() -> None:
    assert wanted(SERVING, ALSO_SERVING, WARM, serving=1) == Want(2, 0)
    assert done(SERVING, ALSO_SERVING, WARM, serving=1) == [LEAVES]


def test_without_a_warm_one_it_leaves_all_the_same() -> None:
    assert done(SERVING, ALSO_SERVING, serving=2) == [LEAVES]


def test_one_that_is_held_off_traffic_stands_in_for_nobody() -> None:
    assert done(SERVING, ALSO_SERVING, WARM, serving=2, step=Step.HOLDING) == [LEAVES]


def test_while_tiers_move_nobody_leaves_traffic_and_counts_grow() -> None:
    assert done(SERVING, ALSO_SERVING, WARM, serving=1, tiers_move=True) == []
    more = Scale(NEW.identity, 1, 2, "stoker")
    assert done(SERVING, WARM, serving=1, tiers_move=True, action=more) == [more]


def test_what_is_not_ready_leaves_at_any_time() -> None:
    unready = pod("llama-old-1", OLD, ready=False)
    assert done(unready, WARM, serving=2, tiers_move=True) == [LEAVES]
