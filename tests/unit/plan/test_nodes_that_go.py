"""Nodes that are about to go: replacements first, evictions then, and no disturbance of what loads."""

import json
from dataclasses import replace

import pytest

from stoker.core.plan.snapshot import Node, ObjectKind
from stoker.kube import projections
from tests.unit.plan.builders import deployment
from tests.unit.plan.toy_cluster import ToyCluster

STAYS, LEAVES = Node("node-1", {}, {}, True), Node("node-2", {}, {}, schedulable=False, leaving=True)


def on_nodes(replicas: int, *nodes: Node, leaving: int) -> ToyCluster:
    """Settled, with some of the replicas on the node that is then about to go."""
    toy = ToyCluster(deployment(replicas))
    toy.settings = replace(toy.settings, nodes=tuple(replace(node, leaving=False) for node in nodes))
    toy.until_settled()
    for name in sorted(toy.pods)[:leaving]:
        toy.pods[name] = replace(toy.pods[name], node=LEAVES.name)
    toy.settings = replace(toy.settings, nodes=nodes)
    return toy


def least_available(toy: ToyCluster) -> int:
    least: int = json.loads(toy.owned[ObjectKind.DISRUPTION_BUDGET].body)["spec"]["minAvailable"]
    return least


@pytest.mark.parametrize(("replicas", "leaving"), [(1, 1), (3, 1), (2, 2), (3, 3)])
def test_a_replacement_is_ready_before_a_replica_leaves_its_node(replicas: int, leaving: int) -> None:
    toy = on_nodes(replicas, STAYS, LEAVES, leaving=leaving)
    toy.most_ready_at_once = 1
    made = set(toy.pods)
    leave = {pod.identity.name for pod in toy.pods.values() if pod.node == LEAVES.name}
    for _ in range(40):
        toy.look()
        assert len(toy.serving()) >= replicas
        assert least_available(toy) == replicas
        toy.controller_acts()
        toy.kubelet_acts()
        made |= set(toy.pods)
        toy.seconds += 2
    toy.until_settled()
    assert not leave & set(toy.pods)
    assert len(toy.pods) == replicas
    started = made - toy.deleted_by_controller
    assert len(started) == replicas + leaving, "one start replaces one"


def test_where_no_node_can_take_the_replacement_one_may_be_evicted_all_the_same() -> None:
    toy = on_nodes(2, STAYS, LEAVES, leaving=2)
    toy.look()
    toy.controller_acts()
    for name, pod in toy.pods.items():
        if not pod.node:
            toy.pods[name] = replace(pod, unschedulable="0/2 nodes are available: 2 Insufficient nvidia.com/gpu.")
    toy.look()
    assert least_available(toy) == 1


def test_where_nodes_cannot_be_seen_one_at_a_time_may_be_evicted() -> None:
    toy = ToyCluster(deployment(3))
    toy.until_settled()
    assert least_available(toy) == 2


def test_what_loads_is_protected_and_what_is_ready_is_not() -> None:
    toy = ToyCluster(deployment(1))
    toy.look()
    toy.controller_acts()
    toy.look()
    assert [pod.protected for pod in toy.pods.values()] == [False], "it has no node yet"
    toy.kubelet_acts()
    toy.look()
    assert [pod.protected for pod in toy.pods.values()] == [True]
    toy.until_settled()
    assert [pod.protected for pod in toy.pods.values()] == [False]


@pytest.mark.parametrize(
    ("spec", "leaving"),
    [
        ({}, False),
        ({"unschedulable": True}, True),
        ({"taints": [{"key": "karpenter.sh/disrupted", "effect": "NoSchedule"}]}, True),
        ({"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]}, True),
        ({"taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}]}, False),
    ],
)
def test_a_node_says_that_it_goes_by_a_cordon_or_a_taint(spec: dict[str, object], leaving: bool) -> None:
    assert projections.node({"metadata": {"name": "a"}, "spec": spec}).leaving is leaving
