"""Replicas of several pods: one LeaderWorkerSet each, chosen, drained and removed by Stoker and by nobody else."""

from dataclasses import replace
from typing import Any

import pytest

from stoker.core.names import group_name, leader_name
from stoker.core.plan.actions import CreateGroup, CreateRevision, DeleteGroup, DrainGroup, Plan, TakeOffTraffic
from stoker.core.plan.planner import plan
from stoker.core.plan.pod_template import OFF_TRAFFIC_SECONDS
from stoker.core.plan.snapshot import ObjectKind, Snapshot, Trouble
from stoker.engines.custom import Custom
from tests.unit.plan.builders import cluster, deployment, snapshot
from tests.unit.plan.test_replicas_converge import edited, settled
from tests.unit.plan.toy_cluster import ToyCluster

TWO_STAGES = {"name": "simulated", "image": "registry.example.com/simulated:1", "pipelineParallel": 2}


def fresh(configuration: dict[str, Any] | None = None, **spec: Any) -> Snapshot:
    settings = cluster(configuration=configuration or {}, has_leader_worker_sets=True)
    return snapshot(deployment(**{"engine": TWO_STAGES} | spec), cluster=settings)


def template_of(planned: Plan, which: str) -> dict[str, Any]:
    made = next(action for action in planned.actions if isinstance(action, CreateGroup))
    template: dict[str, Any] = made.body["spec"]["leaderWorkerTemplate"][f"{which}Template"]
    return template


def stalled(world: Snapshot) -> tuple[str, str]:
    found = next(one for one in plan(world).status.conditions if one.type == "Stalled")
    return (found.reason, found.message) if found.status == "True" else ("", "")


def of_kind(planned: Plan, *kinds: type) -> list[Any]:
    return [action for action in planned.actions if isinstance(action, kinds)]


def test_each_replica_is_one_leader_worker_set_of_its_own() -> None:
    toy = settled(3, stages=2)
    assert {found.identity.name.rsplit("-", 1)[1] for found in toy.groups.values()} == {"0", "1", "2"}
    assert len(toy.pods) == 6
    assert toy.replica_sets == {}
    status = toy.model.status
    assert (status.replicas, status.ready_replicas, status.accelerators) == (3, 3, 6)


def test_the_second_look_at_a_settled_world_of_groups_writes_nothing_and_says_the_same() -> None:
    toy = settled(2, stages=2)
    again = plan(toy.snapshot())
    assert again.actions == ()
    assert again.notes == ()
    assert again.status == toy.model.status


def test_only_leaders_have_a_tier_so_that_services_and_budgets_see_replicas() -> None:
    planned = plan(fresh())
    assert template_of(planned, "leader")["metadata"]["labels"]["stoker.dev/tier"] == "serving"
    assert "stoker.dev/tier" not in template_of(planned, "worker")["metadata"]["labels"]
    assert template_of(planned, "worker")["metadata"]["labels"]["stoker.dev/model"] == "llama"


def test_a_worker_runs_the_engines_worker_and_has_nothing_to_ask() -> None:
    (container,) = template_of(plan(fresh()), "worker")["spec"]["containers"]
    assert container["args"] == ["simulated-worker"]
    assert not {"ports", "readinessProbe", "startupProbe", "livenessProbe", "lifecycle"} & container.keys()
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_patch_of_the_user_goes_over_leader_and_workers() -> None:
    planned = plan(fresh(template={"spec": {"nodeSelector": {"fabric": "a"}}}))
    for which in ("leader", "worker"):
        assert template_of(planned, which)["spec"]["nodeSelector"] == {"fabric": "a"}


def test_the_pods_of_a_model_that_spans_pods_may_talk_to_each_other() -> None:
    def may_talk() -> bool:
        return '"egress"' in toy.owned[ObjectKind.NETWORK_POLICY].body.decode()

    toy = settled(1, stages=2)
    assert may_talk()
    edited(toy, 1)
    for _ in range(20):
        toy.look()
        assert may_talk() or not any(pod.group for pod in toy.pods.values()), "it drains, and works until it is gone"
        toy.controller_acts()
        toy.kubelet_acts()
        toy.seconds += 2
    assert not may_talk()


def test_scaling_up_makes_everything_that_is_missing_at_once() -> None:
    toy = settled(1, stages=2)
    edited(toy, 4, stages=2)
    toy.look()
    assert len(toy.groups) == 4


def test_scaling_down_takes_the_newest_and_leaves_the_others_alone() -> None:
    toy = settled(2, stages=2)
    edited(toy, 3, stages=2)
    toy.until_settled()
    before = dict(toy.pods)
    edited(toy, 2, stages=2)
    toy.until_settled()
    assert [name.rsplit("-", 1)[1] for name in toy.drained] == ["2"]
    assert all(before[name].identity.uid == pod.identity.uid for name, pod in toy.pods.items())


def test_a_group_whose_leader_is_not_ready_leaves_before_newer_ones() -> None:
    toy = settled(3, stages=2)
    oldest = min(toy.groups)
    leader = toy.pods[leader_name(oldest)]
    toy.pods[leader.identity.name] = replace(leader, ready=False, ready_since=None)
    edited(toy, 2, stages=2)
    toy.look()
    assert toy.drained == [oldest]


def test_a_group_is_deleted_only_when_routing_has_forgotten_its_leader() -> None:
    toy = settled(2, stages=2)
    edited(toy, 1, stages=2)
    first = toy.look()
    assert [type(action) for action in of_kind(first, DrainGroup, TakeOffTraffic, DeleteGroup)] == [
        DrainGroup,
        TakeOffTraffic,
    ]
    toy.seconds += OFF_TRAFFIC_SECONDS - 1
    waiting = toy.look()
    assert of_kind(waiting, DeleteGroup) == []
    assert waiting.look_again_seconds == pytest.approx(1)
    toy.seconds += 1
    assert len(of_kind(toy.look(), DeleteGroup)) == 1
    assert len(toy.groups) == 1


def test_an_operator_that_ends_after_the_mark_is_followed_by_one_that_takes_the_leader_off_traffic() -> None:
    toy = settled(2, stages=2)
    edited(toy, 1, stages=2)
    planned = plan(toy.snapshot())
    toy.look(most_writes=planned.actions.index(of_kind(planned, DrainGroup)[0]) + 1)
    toy.seconds += 60
    successor = toy.look()
    assert of_kind(successor, DrainGroup, DeleteGroup) == [], "it still takes traffic, and one was chosen already"
    assert len(of_kind(successor, TakeOffTraffic)) == 1
    assert of_kind(toy.look(), DeleteGroup) == []


def test_a_leader_that_is_made_anew_while_its_group_drains_does_not_serve() -> None:
    toy = settled(2, stages=2)
    edited(toy, 1, stages=2)
    toy.look()
    (leaving,) = toy.drained
    toy.pods[leader_name(leaving)] = replace(
        toy.pods[leader_name(leaving)], tier="serving", draining_since=None, ready=True
    )
    toy.seconds += 60
    assert [action.leader.name for action in of_kind(toy.look(), TakeOffTraffic, DeleteGroup)] == [leader_name(leaving)]
    assert len(toy.serving()) == 1


def test_a_name_is_free_again_only_when_no_pod_carries_it() -> None:
    """The controller takes pods that it finds under the name of a LeaderWorkerSet for that one's own."""
    toy = settled(2, stages=2)
    edited(toy, 1, stages=2)
    toy.look()
    (leaving,) = toy.drained
    toy.seconds += OFF_TRAFFIC_SECONDS
    toy.look()
    assert leaving not in toy.groups
    assert leader_name(leaving) in toy.pods
    edited(toy, 2, stages=2)
    toy.look()
    assert leaving not in toy.groups
    assert len(toy.groups) == 2


def test_a_stale_picture_makes_no_second_one() -> None:
    toy = ToyCluster(deployment(2))
    edited(toy, 2, stages=2)
    before = toy.snapshot()
    toy.until_settled()
    toy.look(picture=before)
    assert len(toy.groups) == 2


def test_a_rank_that_dies_costs_its_replica_and_no_other() -> None:
    toy = settled(3, stages=2)
    before = {name: pod.identity.uid for name, pod in toy.pods.items()}
    toy.dies(0)
    toy.until_settled()
    renewed = {pod.group for name, pod in toy.pods.items() if pod.identity.uid != before[name]}
    assert len(renewed) == 1
    assert len(toy.groups) == 3
    assert toy.drained == []


def test_suspending_removes_every_group() -> None:
    toy = settled(2, stages=3)
    edited(toy, 2, stages=3, suspend=True)
    toy.until_settled()
    assert toy.pods == {}
    assert toy.groups == {}
    assert len(toy.revisions) == 1


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1), (2, 3), (2, 2)])
def test_a_rollout_between_shapes_never_serves_with_fewer_than_wanted(before: int, after: int) -> None:
    toy = settled(3, stages=before)
    edited(toy, 3, context_length=8192, stages=after)
    for _ in range(100):
        toy.look()
        toy.controller_acts()
        assert len(toy.serving()) >= 3
        toy.kubelet_acts()
        toy.seconds += 2
    toy.until_settled()
    assert len(toy.pods) == 3 * after
    assert len(toy.groups) == (3 if after > 1 else 0)
    assert len(toy.replica_sets) == (1 if after == 1 else 0)


def test_newer_defaults_restart_no_group_and_reach_no_new_one() -> None:
    toy = settled(1, stages=2)
    before = set(toy.pods)
    toy.settings = cluster(configuration={"pods": {"startupSeconds": 99}}, has_leader_worker_sets=True)
    edited(toy, 2, stages=2)
    planned = toy.look()
    probe = template_of(planned, "leader")["spec"]["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] != 99
    assert next(one for one in planned.status.conditions if one.type == "UpdateAvailable").status == "True"
    toy.until_settled()
    assert before <= set(toy.pods)


@pytest.mark.parametrize("api", [False, None])
def test_groups_that_cannot_be_seen_are_neither_made_again_nor_replaced(api: bool | None) -> None:
    toy = settled(2, stages=2)
    world = replace(toy.snapshot(), groups=(), cluster=cluster(has_leader_worker_sets=api))
    planned = plan(world)
    assert planned.actions == ()
    assert stalled(world)[0] == "MultiNodeNotAvailable"


def test_groups_that_were_orphaned_are_adopted_without_a_restart() -> None:
    toy = settled(2, stages=2)
    before = set(toy.pods)
    for name, found in toy.groups.items():
        toy.groups[name] = replace(found, owner_uid="")
    assert of_kind(toy.look(most_writes=0), CreateGroup) == [], "they count once they are adopted"
    toy.until_settled()
    assert set(toy.pods) == before
    assert len(toy.groups) == 2


def test_a_revision_keeps_what_its_workers_are() -> None:
    (kept,) = of_kind(plan(fresh()), CreateRevision)
    assert kept.body["data"]["pods"] == 2
    assert kept.body["data"]["worker"] == template_of(plan(fresh()), "worker")


def test_a_name_that_leaves_no_room_for_stateful_sets_is_refused_with_the_length_that_does() -> None:
    def named(length: int) -> Snapshot:
        model = deployment(engine=TWO_STAGES)
        metadata = model.metadata.model_copy(update={"name": "m" * length})
        return snapshot(model.model_copy(update={"metadata": metadata}), cluster=cluster(has_leader_worker_sets=True))

    assert stalled(named(34)) == ("", "")
    # The StatefulSet of the workers is called as the leader, and its pods carry its name and eleven characters more.
    assert len(leader_name(group_name("m" * 34, "0123456789", 9999))) + 11 == 63
    reason, message = stalled(named(35))
    assert reason == "NameTooLong"
    assert "at most 34 characters" in message


def test_an_engine_that_cannot_span_pods_says_so() -> None:
    world = fresh()
    cannot = replace(world, cluster=replace(world.cluster, profiles={"simulated": Custom()}))
    reason, message = stalled(cannot)
    assert reason == "MultiNodeNotAvailable"
    assert "set spec.accelerator.count to 2 for one pod" in message


def test_pods_that_wait_for_a_node_are_counted_below_their_replicas() -> None:
    toy = settled(2, stages=2)
    said = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    for name, pod in toy.pods.items():
        toy.pods[name] = replace(pod, ready=False, node="", phase="Pending", unschedulable=said)
    scheduled = next(one for one in plan(toy.snapshot()).status.conditions if one.type == "Scheduled")
    assert scheduled.reason == "Unschedulable"
    assert scheduled.message.startswith("4 pods of 2 replicas wait for a node: 4 nvidia.com/gpu more are needed")


def test_what_keeps_stateful_sets_from_making_pods_is_said_of_the_replica() -> None:
    toy = settled(1, stages=2)
    (name,) = toy.groups
    quota = 'pods "x" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1'
    troubles = (Trouble("StatefulSet", leader_name(name), "FailedCreate", quota),)
    well = next(
        one for one in plan(replace(toy.snapshot(), troubles=troubles)).status.conditions if one.type == "Ready"
    )
    assert well.status == "True", "what is over is not told"
    toy.pods.pop(f"{name}-0-1")
    degraded = next(
        one for one in plan(replace(toy.snapshot(), troubles=troubles)).status.conditions if one.type == "Degraded"
    )
    assert degraded.reason == "QuotaExceeded"
    assert degraded.message.startswith("1 replica cannot be made")
