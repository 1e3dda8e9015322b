"""The accelerators that models share."""

from dataclasses import replace

from stoker.core.follow.pools import ELASTIC, member_of, pools_of, products_of
from stoker.core.plan.snapshot import Node
from tests.unit.follow.builders import replica, subject

GPU = "nvidia.com/gpu"
NODES = (
    Node("a", {"nvidia.com/gpu.product": "L40S"}, {GPU: 4}, schedulable=True),
    Node("b", {"nvidia.com/gpu.product": "L40S"}, {GPU: 4}, schedulable=False),
    Node("c", {"nvidia.com/gpu.product": "H100"}, {GPU: 8}, schedulable=True),
)
SUBJECT = replace(subject(), devices_each=1, resource_name=GPU)


def test_nodes_of_one_product_are_one_pool_and_a_cordoned_one_gives_nothing() -> None:
    pools = pools_of(NODES, by_nodes=True)
    assert pools[f"{GPU} L40S"].devices == 4
    assert pools[f"{GPU} H100"].devices == 8


def test_an_elastic_fleet_and_one_that_cannot_be_seen_have_no_end() -> None:
    assert set(pools_of(NODES, by_nodes=False)) == set(pools_of(None, by_nodes=True)) == {ELASTIC}


def test_a_model_takes_from_the_products_that_it_names_and_else_from_all() -> None:
    pools = pools_of(NODES, by_nodes=True)
    named = member_of(replace(SUBJECT, products=("H100",)), "ns", (), pools, None)
    assert named.pools == (f"{GPU} H100",)
    assert set(member_of(SUBJECT, "ns", (), pools, None).pools) == {f"{GPU} H100", f"{GPU} L40S"}


def test_a_model_without_accelerators_takes_none() -> None:
    assert member_of(replace(SUBJECT, devices_each=0), "ns", (), pools_of(NODES, by_nodes=True), None).pools == (
        ELASTIC,
    )


def test_what_was_given_up_and_is_still_there_is_not_given_up_again() -> None:
    replicas = [replica(number, product="L40S") for number in range(3)]
    member = member_of(SUBJECT, "ns", replicas, pools_of(NODES, by_nodes=True), 2)
    (holding,) = member.holdings.values()
    assert (holding.serving, holding.draining) == (2, 1)


def test_a_replica_without_a_node_is_held_where_it_would_go_first() -> None:
    member = member_of(SUBJECT, "ns", [replica(product="")], pools_of(NODES, by_nodes=True), None)
    assert set(member.holdings) == {member.pools[0]}


def test_products_are_known_by_node_and_unknown_without_nodes() -> None:
    assert products_of(NODES)["c"] == "H100"
    assert products_of(None) == {}
