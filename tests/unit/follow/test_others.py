"""What others hold: devices on nodes, and parts of a quota."""

from hypothesis import given
from hypothesis import strategies as st

from stoker.core.follow.others import DeviceHolder, Quota, foreign_devices, quota_name, quotas_left
from tests.unit.follow.test_pools import GPU, NODES

NAME = quota_name("team-a", GPU)


def left(quota: Quota, held: int) -> int | None:
    return quotas_left([("team-a", quota)], {NAME: held}, {NAME}).get(NAME)


def test_devices_of_other_pods_are_counted_by_pool() -> None:
    holders = [DeviceHolder("x", "a", {GPU: 2}), DeviceHolder("y", "c", {GPU: 1}), DeviceHolder("z", "a", {GPU: 1})]
    assert foreign_devices(holders, NODES, {"z"}) == {f"{GPU} L40S": 2, f"{GPU} H100": 1}


def test_devices_on_a_cordoned_node_or_on_one_that_nobody_sees_are_not_missing_elsewhere() -> None:
    holders = [DeviceHolder("x", "b", {GPU: 2}), DeviceHolder("y", "nowhere", {GPU: 2})]
    assert foreign_devices(holders, NODES, ()) == {}
    assert foreign_devices(holders, None, ()) == {}


def test_a_quota_leaves_what_others_do_not_use_of_it() -> None:
    assert left(Quota({GPU: 8}, {GPU: 5}), held=2) == 5
    assert left(Quota({GPU: 8}, {GPU: 5}), held=5) == 8


def test_a_quota_that_does_not_know_its_use_yet_is_whole_and_one_of_zero_is_zero() -> None:
    assert left(Quota({GPU: 8}, {}), held=0) == 8
    assert left(Quota({GPU: 0}, {}), held=0) == 0


def test_no_quota_is_no_bound_and_the_smallest_of_several_decides() -> None:
    assert quotas_left([], {}, {NAME}) == {}
    assert left(Quota({"amd.com/gpu": 1}, {}), held=0) is None
    several = [("team-a", Quota({GPU: 8}, {})), ("team-a", Quota({GPU: 3}, {})), ("team-b", Quota({GPU: 1}, {}))]
    assert quotas_left(several, {}, {NAME}) == {NAME: 3}


@given(hard=st.integers(0, 50), used=st.integers(0, 80), held=st.integers(0, 80))
def test_what_is_left_is_never_negative_and_never_more_than_the_quota(hard: int, used: int, held: int) -> None:
    found = left(Quota({GPU: hard}, {GPU: used}), held)
    assert found is not None
    assert 0 <= found <= hard
