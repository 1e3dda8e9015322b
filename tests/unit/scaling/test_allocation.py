"""Who gets the devices."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from stoker.core.scaling.allocate import allocate
from stoker.core.scaling.blast import Blast
from stoker.core.scaling.decide import demand
from stoker.core.scaling.demands import Demand, Worth
from stoker.core.scaling.fleet import Fleet, Grant, Holding, Lease, Member, Pool
from stoker.core.scaling.memory import Memory
from tests.unit.scaling.builders import observation

ANY = demand(observation(0.0, ()), Memory.empty())[0]


def wants(serving: int, warm: int = 0, floor: int = 0, late_per_hour: float = 100.0) -> Demand:
    curve = tuple(Worth(level, late_per_hour, level <= floor) for level in range(1, serving + 1))
    return replace(ANY, serving=serving, warm=warm, floor=floor, curve=curve)


def fleet(members: dict[str, Member], devices: int = 8, **fields: object) -> Fleet:
    return replace(Fleet(100.0, 1, {"a": Pool(devices)}, members), **fields)  # type: ignore[arg-type]


def member(devices_each: int = 1, **fields: object) -> Member:
    return replace(Member(devices_each, ("a",)), **fields)  # type: ignore[arg-type]


def holding(serving: int = 0, warm: int = 0, draining: int = 0, asleep: int = 0) -> dict[str, Holding]:
    return {"a": Holding(serving, warm, asleep, draining)}


def test_everybody_gets_what_there_is_enough_of() -> None:
    grants = allocate({"x": wants(3), "y": wants(2, warm=1)}, fleet({"x": member(), "y": member()}))
    assert [(grants[name].serving, grants[name].warm) for name in "xy"] == [(3, 0), (2, 1)]
    assert grants["x"].reason == "granted in full"


def test_a_model_on_the_processor_gets_its_replicas_and_takes_no_device() -> None:
    members = {"processor": member(devices_each=0), "gpu": member()}
    grants = allocate({"processor": wants(3, warm=1), "gpu": wants(2)}, fleet(members, devices=2))
    assert [(grants[name].serving, grants[name].warm) for name in ("processor", "gpu")] == [(3, 1), (2, 0)]


def test_the_last_device_goes_to_the_higher_priority() -> None:
    members = {"low": member(priority=0), "high": member(priority=5)}
    grants = allocate({"low": wants(5, late_per_hour=1e6), "high": wants(5)}, fleet(members))
    assert (grants["low"].serving, grants["high"].serving) == (3, 5)
    assert grants["low"].reason == "3 of 5 serving replicas granted: no pool has a free device for it"


def test_among_equals_the_floor_goes_before_the_load() -> None:
    members = {"loaded": member(), "idle": member()}
    grants = allocate({"loaded": wants(8, late_per_hour=1e6), "idle": wants(1, floor=1)}, fleet(members))
    assert (grants["loaded"].serving, grants["idle"].serving) == (7, 1)


def test_among_equals_a_device_goes_where_it_saves_most_requests() -> None:
    members = {"wide": member(devices_each=4), "narrow": member()}
    demands = {"wide": wants(1, late_per_hour=300.0), "narrow": wants(8, late_per_hour=100.0)}
    assert allocate(demands, fleet(members))["narrow"].serving == 8


def test_a_model_on_cpus_takes_no_device_and_gets_what_it_wants() -> None:
    members = {"cpu": member(devices_each=0), "gpu": member()}
    grants = allocate({"cpu": wants(3), "gpu": wants(8)}, fleet(members))
    assert (grants["cpu"].serving, grants["gpu"].serving) == (3, 8)


def test_nobody_loses_what_he_holds_and_wants_to_a_higher_priority() -> None:
    members = {"low": member(holdings=holding(serving=8)), "high": member(priority=5)}
    grants = allocate({"low": wants(8), "high": wants(2)}, fleet(members))
    assert (grants["low"].serving, grants["high"].serving) == (8, 0)


def test_a_starving_model_takes_the_warm_replica_of_a_lower_one() -> None:
    members = {"low": member(holdings=holding(serving=6, warm=2)), "high": member(priority=5)}
    grants = allocate({"low": wants(6, warm=2), "high": wants(1)}, fleet(members))
    assert (grants["low"].serving, grants["low"].warm) == (6, 1)
    assert grants["high"].serving == 1
    assert grants["high"].takes_from == ("low",)


def test_an_equal_takes_no_warm_replica() -> None:
    members = {"one": member(holdings=holding(serving=6, warm=2)), "other": member()}
    assert allocate({"one": wants(6, warm=2), "other": wants(1)}, fleet(members))["other"].serving == 0


def test_a_wish_for_warm_replicas_takes_nobodys() -> None:
    members = {"low": member(holdings=holding(warm=8)), "high": member(priority=5)}
    grants = allocate({"low": wants(0, warm=8), "high": wants(0, warm=2)}, fleet(members))
    assert (grants["low"].warm, grants["high"].warm) == (8, 0)


def test_a_warm_replica_is_promoted_before_one_is_ordered() -> None:
    grant = allocate({"x": wants(3, warm=1)}, fleet({"x": member(holdings=holding(2, 1))}, devices=3))["x"]
    assert (grant.serving, grant.warm) == (3, 0)


def test_what_drains_still_holds_its_device() -> None:
    members = {"x": member(holdings=holding(draining=5, asleep=1)), "y": member()}
    assert allocate({"x": wants(0), "y": wants(8)}, fleet(members))["y"].serving == 2


def test_small_replicas_do_not_starve_a_large_one_of_higher_priority() -> None:
    members = {"large": member(8, priority=5), "small": member(holdings=holding(serving=5))}
    grants = allocate({"large": wants(1), "small": wants(8)}, fleet(members))
    assert (grants["large"].serving, grants["small"].serving) == (0, 5)


def test_no_device_is_kept_for_a_replica_that_could_never_fit() -> None:
    members = {"huge": member(16, priority=5), "small": member()}
    assert allocate({"huge": wants(1), "small": wants(8)}, fleet(members))["small"].serving == 8


def test_a_namespace_stays_within_its_quota() -> None:
    members = {"x": member(namespace="team"), "y": member(namespace="team"), "z": member()}
    grants = allocate({name: wants(4) for name in "xyz"}, fleet(members, devices=12, quotas={"team": 5}))
    assert grants["x"].serving + grants["y"].serving == 5
    assert grants["z"].serving == 4
    assert grants["y"].reason == "1 of 4 serving replicas granted: the quota of 5 devices is used up"


def test_what_was_granted_and_is_not_seen_yet_is_granted_to_nobody_else() -> None:
    members = {"x": member(), "y": member(priority=9)}
    leases = {"x": Lease({"a": 6}, generation=1, ends_seconds=130.0)}
    grants = allocate({"x": wants(6), "y": wants(6)}, fleet(members, leases=leases))
    assert (grants["x"].serving, grants["y"].serving) == (6, 2)


def test_a_lease_that_ended_or_is_of_another_generation_binds_nobody() -> None:
    members = {"x": member(), "y": member(priority=9)}
    ended = {"x": Lease({"a": 6}, generation=1, ends_seconds=99.0)}
    other = {"x": Lease({"a": 6}, generation=7, ends_seconds=130.0)}
    for leases in (ended, other):
        assert allocate({"x": wants(6), "y": wants(8)}, fleet(members, leases=leases))["y"].serving == 8


def test_forty_models_do_not_race_for_eight_devices() -> None:
    members = {f"m-{index}": member() for index in range(40)}
    demands = {name: wants(2) for name in members}
    first = allocate(demands, fleet(members))
    assert sum(grant.serving for grant in first.values()) == 8
    leases = {name: grant.lease for name, grant in first.items()}
    assert allocate(demands, fleet(members, leases=leases)) == first


def test_the_fleet_gives_up_a_tenth_at_once() -> None:
    members = {f"m-{index}": member(holdings=holding(serving=5)) for index in range(10)}
    demands = {name: wants(0) for name in members}
    grants = allocate(demands, fleet(members, devices=50, blast=Blast(removed=2)))
    assert sum(grant.serving for grant in grants.values()) == 47
    assert "the fleet gives up no more for now" in grants["m-9"].reason


def test_a_blast_limit_that_is_used_up_lets_nothing_go() -> None:
    grants = allocate({"x": wants(1)}, fleet({"x": member(holdings=holding(serving=6))}, blast=Blast(removed=1)))
    assert grants["x"].serving == 6


MEMBERS = st.lists(
    st.builds(
        lambda each, priority, serving, warm, draining: Member(
            each, ("a", "b"), priority, "team", {"a": Holding(serving, warm, 0, draining)}
        ),
        st.integers(1, 4),
        st.integers(0, 3),
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=6,
)
WANTS = st.lists(st.builds(wants, st.integers(0, 6), st.integers(0, 2), st.integers(0, 2)), min_size=6, max_size=6)


def used(grant: Grant, of: Member) -> int:
    return (grant.serving + grant.warm) * of.devices_each


@given(MEMBERS, WANTS, st.integers(0, 40), st.integers(0, 12), st.none() | st.integers(0, 40))
def test_grants_never_exceed_what_there_is(
    members: list[Member], demands: list[Demand], extra: int, second: int, quota: int | None
) -> None:
    named = {f"m-{index}": one for index, one in enumerate(members)}
    asked = dict(zip(named, demands, strict=False))
    held = sum(
        (one.holdings["a"].serving + one.holdings["a"].warm + one.holdings["a"].draining) * one.devices_each
        for one in members
    )
    quotas = {} if quota is None else {"team": held + quota}
    whole = Fleet(0.0, 1, {"a": Pool(held + extra), "b": Pool(second)}, named, quotas)
    grants = allocate(asked, whole)
    for pool, size in (("a", held + extra), ("b", second)):
        assert sum(grant.by_pool.get(pool, 0) * named[name].devices_each for name, grant in grants.items()) <= size
    for name, grant in grants.items():
        assert grant.serving <= asked[name].serving
        assert grant.warm <= asked[name].warm
        assert sum(grant.by_pool.values()) == grant.serving + grant.warm
        # What is held and wanted stays.
        assert grant.serving >= min(asked[name].serving, named[name].serving + named[name].warm)
    if quota is not None:
        assert sum(used(grant, named[name]) for name, grant in grants.items()) <= held + quota


@given(MEMBERS, WANTS, st.integers(0, 20))
def test_the_highest_priority_never_starves(members: list[Member], demands: list[Demand], extra: int) -> None:
    """Unless all of its pool serves others, it gets a replica, whatever the rest ask for."""
    named = {f"m-{index}": one for index, one in enumerate(members)}
    named["top"] = Member(1, ("a",), 99, "team")
    asked = {**dict(zip(named, demands, strict=False)), "top": wants(2)}
    held = sum((one.holdings["a"].serving + one.holdings["a"].warm) * one.devices_each for one in members)
    gone = sum(one.holdings["a"].draining * one.devices_each for one in members)
    grants = allocate(asked, Fleet(0.0, 1, {"a": Pool(held + gone + extra), "b": Pool(8)}, named))
    warm = sum(min(one.warm, asked[name].warm) for name, one in named.items() if name != "top")
    promoted = sum(max(0, asked[name].serving - one.serving) for name, one in named.items() if name != "top")
    assert grants["top"].serving >= min(2, extra + max(0, warm - promoted))


@given(MEMBERS, WANTS, st.integers(0, 20))
def test_a_grant_that_was_not_carried_out_yet_is_repeated(
    members: list[Member], demands: list[Demand], extra: int
) -> None:
    named = {f"m-{index}": one for index, one in enumerate(members)}
    asked = dict(zip(named, demands, strict=False))
    held = sum(
        (one.holdings["a"].serving + one.holdings["a"].warm + one.holdings["a"].draining) * one.devices_each
        for one in members
    )
    whole = Fleet(0.0, 1, {"a": Pool(held + extra), "b": Pool(4)}, named)
    first = allocate(asked, whole)
    again = allocate(asked, replace(whole, leases={name: grant.lease for name, grant in first.items()}))
    assert all(again[name].serving >= first[name].serving for name in first)
