"""How the models share what there is, next to others that hold some of it."""

from dataclasses import replace
from typing import Any

from stoker.api.configuration import Capacity, ScalingDefaults
from stoker.core.follow.others import DeviceHolder, Quota
from stoker.core.plan.snapshot import Node
from stoker.core.scaling.decide import demand
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Observation
from stoker.handlers.sharing import Party, Share, shared
from stoker.kube.resources import Key
from tests.unit.follow.builders import FULL, NOW, SECONDS, replica, subject

GPU = "nvidia.com/gpu"
NODES = (Node("a", {"nvidia.com/gpu.product": "L40S"}, {GPU: 4}, schedulable=True),)
BY_NODES, ELASTIC = ScalingDefaults(capacity=Capacity.NODES), ScalingDefaults()


class Around:
    """Quotas and pods of others, as a watch would have them."""

    def __init__(self, quotas: dict[str, Quota] | None = None, holders: tuple[DeviceHolder, ...] = ()) -> None:
        self._quotas, self._holders = quotas or {}, holders

    def quotas(self) -> Any:
        return iter(self._quotas.items())

    def holders(self) -> Any:
        return iter(self._holders)


def party(replicas: int, acts: bool = True, priority: int = 0, **scaling: Any) -> Party:
    """One whose replicas are all full, so that it wants one more at least."""
    of = replace(subject(1, maxReplicas=10, **scaling), devices_each=1, resource_name=GPU, priority=priority)
    there = tuple(replica(number, product="L40S", load=FULL) for number in range(replicas))
    wants, _ = demand(Observation(SECONDS, there, of.limits(NOW, 0.0, frozen=False), of.aims), Memory.empty())
    return Party(of, wants, there, None, None, acts)


def granted(parties: dict[str, Party], scaling: ScalingDefaults = BY_NODES, around: Around | None = None) -> list[int]:
    share = Share(SECONDS, NODES, frozenset(), 0)
    keys = {Key("team", name): one for name, one in parties.items()}
    grants = shared(keys, share, around, scaling)  # type: ignore[arg-type]
    return [grants[key].serving for key in keys]


def test_devices_that_others_hold_are_not_given_away() -> None:
    assert granted({"m": party(2)}) == [3]
    assert granted({"m": party(2)}, around=Around(holders=(DeviceHolder("x", "a", {GPU: 1}),))) == [3]
    assert granted({"m": party(2)}, around=Around(holders=(DeviceHolder("x", "a", {GPU: 2}),))) == [2]


def test_a_quota_bounds_models_also_where_nodes_come_by_themselves() -> None:
    assert granted({"m": party(2)}, ELASTIC) == [3]
    assert granted({"m": party(2)}, ELASTIC, Around({"team": Quota({GPU: 2}, {GPU: 2})})) == [2]
    assert granted({"m": party(2)}, ELASTIC, Around({"team": Quota({GPU: 4}, {GPU: 4})})) == [2]
    assert granted({"m": party(2)}, ELASTIC, Around({"other": Quota({GPU: 2}, {GPU: 2})})) == [3]


def test_what_is_held_is_kept_though_a_quota_was_lowered_below_it() -> None:
    assert granted({"m": party(3)}, ELASTIC, Around({"team": Quota({GPU: 1}, {GPU: 3})})) == [3]


def test_what_would_be_done_takes_no_device_from_what_is_done() -> None:
    observed = party(1, acts=False, priority=100, mode="Observe")
    serving, _ = granted({"m": party(2), "observed": observed})
    assert serving == 3


def test_what_is_observed_sees_what_the_others_left() -> None:
    observed = party(1, acts=False, mode="Observe")
    assert granted({"m": party(2), "observed": observed}) == [3, 1]
    assert granted({"observed": observed}) == [2]


def test_nobody_asks_and_nobody_gets() -> None:
    assert granted({}) == []
