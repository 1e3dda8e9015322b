"""Whatever the order of things, and wherever the operator ends, the replicas come to what the spec wants."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.core.plan.planner import plan
from stoker.core.plan.status_change import Change, change
from tests.unit.plan.builders import deployment
from tests.unit.plan.toy_cluster import ToyCluster


def edited(toy: ToyCluster, replicas: int, context_length: int = 4096, stages: int = 1, **spec: Any) -> None:
    """A replica has as many pods as it has stages."""
    engine = {
        "name": "simulated",
        "image": "registry.example.com/simulated:1",
        "contextLength": context_length,
        "pipelineParallel": stages,
    }
    toy.model = deployment(replicas, toy.model.status, engine=engine, **spec)


def settled(replicas: int = 3, stages: int = 1) -> ToyCluster:
    toy = ToyCluster(deployment(replicas))
    edited(toy, replicas, stages=stages)
    toy.until_settled()
    return toy


def test_a_fresh_model_gets_its_replicas() -> None:
    toy = settled(3)
    assert len(toy.serving()) == len(toy.pods) == 3
    assert toy.model.status.ready_replicas == 3


def test_the_second_look_at_a_settled_world_writes_nothing_and_says_the_same() -> None:
    toy = settled(3)
    again = plan(toy.snapshot())
    assert again.actions == ()
    assert again.notes == ()
    assert again.status == toy.model.status


def test_ten_idle_minutes_write_nothing() -> None:
    toy = settled(3)
    toy.seconds += 60
    toy.until_settled()
    for _ in range(300):
        toy.seconds += 2
        again = plan(toy.snapshot())
        assert (again.actions, again.notes, change(toy.model.status, again.status)) == ((), (), Change.NONE)


def test_scaling_up_orders_everything_at_once() -> None:
    toy = settled(1)
    edited(toy, 7)
    toy.look()
    assert next(iter(toy.replica_sets.values())).count == 7


def test_scaling_down_takes_the_chosen_pods_and_no_others() -> None:
    toy = settled(5)
    before = set(toy.pods)
    edited(toy, 2)
    toy.until_settled()
    assert set(toy.pods) == before - set(toy.detached)
    assert len(toy.detached) == 3
    assert not toy.deleted_by_controller & before, "the controller takes its own replacements back and nothing else"


def test_a_controller_that_knows_the_new_count_but_not_who_left_has_nothing_to_choose() -> None:
    """It watches pods and ReplicaSets apart. What it would choose is the pod that happens not to be ready."""
    toy = settled(4)
    before = set(toy.pods)
    toy.look()
    edited(toy, 3)
    toy.look()
    toy.flaps(0)
    for _ in range(3):
        toy.look()
        toy.controller_acts(sees_pods=False)
    assert not toy.deleted_by_controller
    toy.until_settled()
    assert len(toy.detached) == 1
    assert not toy.deleted_by_controller & before


def test_one_replica_leaves_at_a_time() -> None:
    toy = settled(5)
    edited(toy, 1)
    toy.look()
    toy.look()
    assert len(toy.detached) == 1, "the controller has not answered yet"


def test_a_replica_that_does_not_serve_leaves_before_one_that_does() -> None:
    toy = settled(3)
    toy.flaps(0)
    (unready,) = [pod.identity.name for pod in toy.pods.values() if not pod.ready]
    edited(toy, 2)
    toy.look()
    assert toy.detached == [unready]


def with_warm(toy: ToyCluster, replicas: int, warm: int) -> None:
    edited(toy, replicas, scaling={"maxReplicas": 20, "warmReplicas": warm})


def test_a_warm_replica_is_loaded_and_takes_no_traffic() -> None:
    toy = settled(2)
    with_warm(toy, 2, 1)
    toy.until_settled()
    assert (len(toy.serving()), len(toy.serving("warm"))) == (2, 1)
    assert (toy.model.status.ready_replicas, toy.model.status.warm_replicas) == (2, 1)


def test_more_serving_replicas_begin_with_the_warm_one_in_one_look() -> None:
    toy = settled(2)
    with_warm(toy, 2, 1)
    toy.until_settled()
    loaded = {pod.identity.name for pod in toy.pods.values()}
    with_warm(toy, 3, 1)
    toy.look()
    assert {pod.identity.name for pod in toy.serving()} == loaded
    toy.until_settled()
    assert (len(toy.serving()), len(toy.serving("warm"))) == (3, 1)


def test_one_serving_replica_less_and_one_warm_more_moves_a_label_and_ends_no_pod() -> None:
    toy = settled(3)
    before = set(toy.pods)
    with_warm(toy, 2, 1)
    toy.until_settled()
    assert set(toy.pods) == before


def test_warm_replicas_stay_below_the_most_that_there_may_be() -> None:
    toy = settled(2)
    edited(toy, 2, scaling={"maxReplicas": 3, "warmReplicas": 3})
    toy.until_settled()
    assert (len(toy.serving()), len(toy.serving("warm"))) == (2, 1)


def test_suspending_removes_every_replica_and_keeps_the_rest() -> None:
    toy = settled(3)
    edited(toy, 3, suspend=True)
    toy.until_settled()
    assert toy.pods == {}
    assert len(toy.owned) == 3
    assert len(toy.revisions) == 1


def test_a_rollout_never_serves_with_fewer_than_wanted() -> None:
    toy = settled(3)
    edited(toy, 3, context_length=8192)
    for _ in range(100):
        toy.look()
        toy.controller_acts()
        assert len(toy.serving()) >= 3
        toy.kubelet_acts()
        toy.seconds += 2
    toy.until_settled()
    assert len(toy.replica_sets) == 1
    assert {pod.revision for pod in toy.pods.values()} == {toy.model.status.current_revision}
    assert len(toy.revisions) == 2, "the old one stays for a rollback"


def test_a_rollout_with_a_warm_replica_never_serves_with_fewer_either() -> None:
    toy = settled(2)
    with_warm(toy, 2, 1)
    toy.until_settled()
    edited(toy, 2, context_length=8192, scaling={"maxReplicas": 20, "warmReplicas": 1})
    for _ in range(100):
        toy.look()
        toy.controller_acts()
        assert len(toy.serving()) >= 2
        toy.kubelet_acts()
        toy.seconds += 2
    toy.until_settled()
    assert {pod.revision for pod in toy.pods.values()} == {toy.model.status.current_revision}
    assert (len(toy.serving()), len(toy.serving("warm"))) == (2, 1)


def test_a_revision_that_never_gets_ready_costs_one_replica_and_no_traffic() -> None:
    toy = settled(3)
    edited(toy, 3, context_length=8192)
    broken = plan(toy.snapshot()).status.update_revision
    assert broken
    toy.never_ready.add(broken)
    for _ in range(50):
        toy.look()
        toy.controller_acts()
        toy.kubelet_acts()
        toy.seconds += 2
    assert len(toy.serving()) == 3
    assert len(toy.pods) == 4


def test_going_back_in_the_middle_of_a_rollout_keeps_what_still_serves() -> None:
    toy = settled(3)
    old = set(toy.pods)
    edited(toy, 3, context_length=8192)
    for _ in range(3):
        toy.look()
        toy.controller_acts()
        toy.kubelet_acts()
    kept = old & {pod.identity.name for pod in toy.serving()}
    edited(toy, 3)
    toy.until_settled()
    assert kept <= set(toy.pods)


def test_a_paused_rollout_stays_where_it_is_and_heals() -> None:
    toy = settled(3)
    edited(toy, 3, context_length=8192, rollout={"paused": True})
    toy.look()
    toy.controller_acts()
    toy.kubelet_acts()
    assert len([held for held in toy.replica_sets.values() if held.count]) == 1
    victim = next(iter(toy.pods))
    del toy.pods[victim]
    for _ in range(5):
        toy.look()
        toy.controller_acts()
        toy.kubelet_acts()
    assert len(toy.serving()) == 3


def test_children_that_were_orphaned_are_adopted_without_a_restart() -> None:
    toy = settled(3)
    before = set(toy.pods)
    for name, owner in toy.replica_sets.items():
        toy.replica_sets[name] = owner.__class__(**{**_fields(owner), "owner_uid": ""})
    for name, revision in toy.revisions.items():
        toy.revisions[name] = revision.__class__(**{**_fields(revision), "owner_uid": ""})
    toy.until_settled()
    assert set(toy.pods) == before


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


STAGES = {2048: 1, 4096: 1, 8192: 2, 16384: 3}  # of each context length: edits change the shape, or only the revision
STEPS = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 6), st.sampled_from(sorted(STAGES))),
    st.tuples(st.just("warm"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("look"), st.integers(0, 8), st.just(0)),
    st.tuples(st.just("controller"), st.integers(0, 1), st.just(0)),
    st.tuples(st.just("kubelet"), st.just(0), st.just(0)),
    st.tuples(st.just("flap"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("die"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("late look"), st.integers(0, 8), st.integers(1, 9)),
    st.tuples(st.just("wait"), st.integers(1, 10), st.just(0)),
    st.tuples(st.just("clock is set"), st.integers(-9000, 9000), st.just(0)),
)


@settings(max_examples=300)
@given(st.lists(STEPS, max_size=40))
def test_from_anywhere_and_after_a_crash_at_any_write_it_comes_to_what_is_wanted(
    steps: list[tuple[str, int, int]],
) -> None:
    toy = ToyCluster(deployment(2))
    wanted, context_length, warm = 2, 4096, 0
    edited(toy, wanted)
    pictures = []
    for name, number, more in steps:
        pictures.append(toy.snapshot())
        if name in ("edit", "warm"):
            wanted, context_length, warm = (number, more, warm) if name == "edit" else (wanted, context_length, number)
            scaling = {"maxReplicas": 20, "warmReplicas": warm}
            edited(toy, wanted, context_length, STAGES[context_length], scaling=scaling)
        elif name == "die":
            toy.dies(number)
        elif name == "late look":
            toy.look(number, pictures[-more:][0])
        elif name == "look":
            toy.look(most_writes=number)
        elif name == "controller":
            toy.controller_acts(sees_pods=bool(number))
        elif name == "kubelet":
            toy.kubelet_acts()
        elif name == "flap":
            toy.flaps(number)
        else:
            toy.seconds += number
    toy.until_settled()
    stages = STAGES[context_length]
    assert len(toy.serving()) == wanted
    assert len(toy.serving("warm")) == warm
    assert len(toy.pods) == (wanted + warm) * stages
    assert len(toy.groups) == (wanted + warm if stages > 1 else 0)
    assert {pod.revision for pod in toy.pods.values()} <= {toy.model.status.current_revision}
    assert len(toy.replica_sets) <= 1
    assert plan(toy.snapshot()).status == toy.model.status
