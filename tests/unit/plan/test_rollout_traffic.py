"""Nothing that takes traffic leaves while a warm replica could take its place."""

from collections.abc import Mapping

from stoker.core.names import Tier
from stoker.core.plan.actions import Action, Detach, Retier, Scale
from stoker.core.plan.replicas import RevisionReplicas, by_revision
from stoker.core.plan.rollout.traffic import covered
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
    *pods: Pod, serving: int, action: Action = LEAVES, tiers_move: bool = False, held_off: str | None = None
) -> list[Action]:
    return list(covered([action], world(*pods), Want(serving, 1), tiers_move=tiers_move, held_off=held_off))


def test_the_warm_one_is_promoted_in_the_write_before() -> None:
    found = done(SERVING, ALSO_SERVING, WARM, serving=2)
    assert found == [Retier(WARM.identity, Tier.SERVING), LEAVES]


def test_where_more_serve_than_wanted_nobody_stands_in() -> None:
    assert done(SERVING, ALSO_SERVING, WARM, serving=1) == [LEAVES]


def test_without_a_warm_one_it_leaves_all_the_same() -> None:
    assert done(SERVING, ALSO_SERVING, serving=2) == [LEAVES]


def test_one_that_is_held_off_traffic_stands_in_for_nobody() -> None:
    assert done(SERVING, ALSO_SERVING, WARM, serving=2, held_off="bbbbbbbbbb") == [LEAVES]


def test_while_tiers_move_nobody_leaves_traffic_and_counts_grow() -> None:
    assert done(SERVING, ALSO_SERVING, WARM, serving=1, tiers_move=True) == []
    more = Scale(NEW.identity, 1, 2, "stoker")
    assert done(SERVING, WARM, serving=1, tiers_move=True, action=more) == [more]


def test_what_is_not_ready_leaves_at_any_time() -> None:
    unready = pod("llama-old-1", OLD, ready=False)
    assert done(unready, WARM, serving=2, tiers_move=True) == [LEAVES]
