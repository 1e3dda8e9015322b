"""The peers' rules, each against a step worked out by hand."""

import pytest

from stoker.sim.capacity import GPUS, capacity
from stoker.sim.policies import NAMES, PEERS, PolicyError, Situation, knobs_of, policy
from stoker.sim.policies.aibrix import Aibrix
from stoker.sim.policies.dynamo import Dynamo
from stoker.sim.policies.hpa import Hpa
from stoker.sim.policies.keda import Keda
from stoker.sim.policies.kpa import Kpa
from stoker.sim.policies.kubeai import KubeAi
from stoker.sim.policies.wva import Wva
from stoker.sim.policy import Policy, View
from stoker.sim.setup import Setup
from tests.unit.sim.fleets import trace
from tests.unit.sim.views import load, view


def wanted(policy: Policy, *views: View) -> int:
    """What it orders at the last of these ticks."""
    return [policy.decide(one).serving for one in views][-1]


def test_hpa_rounds_the_quotient_up_beyond_its_tolerance() -> None:
    assert wanted(Hpa(target=50.0), view(0, load(60), load(60))) == 3
    assert wanted(Hpa(target=50.0), view(0, load(54), load(54))) == 2


def test_hpa_adds_four_or_doubles_whichever_is_more() -> None:
    assert wanted(Hpa(target=1.0), view(0, load(100))) == 5
    assert wanted(Hpa(target=1.0), view(0, *[load(100)] * 6)) == 12


def test_hpa_goes_down_to_the_most_of_the_last_five_minutes() -> None:
    hpa = Hpa(target=50.0)
    busy, idle = [load(50)] * 4, [load(10)] * 4
    assert wanted(hpa, view(0, *busy)) == 4
    assert wanted(hpa, *(view(at, *idle) for at in range(15, 300, 15))) == 4
    assert wanted(hpa, view(301, *idle)) == 1


def test_hpa_counts_what_starts_among_its_replicas() -> None:
    assert wanted(Hpa(target=50.0), view(0, load(75), load(75), starting=1)) == 3
    assert wanted(Hpa(target=50.0), view(0, load(75), load(75), starting=0)) == 3


def test_hpa_without_a_value_changes_nothing() -> None:
    assert wanted(Hpa(target=50.0), view(0, None, None, None)) == 3


def test_keda_scales_on_what_waits_and_takes_nothing_for_zero() -> None:
    keda = Keda()
    assert wanted(keda, view(0, load(40, queued=12), load(40, queued=10))) == 5
    blind = [view(at, None, None, None) for at in range(0, 330, 15)]
    assert wanted(Keda(), *blind) == 1


def test_kpa_divides_the_mean_of_a_minute_by_seven_tenths_of_its_target() -> None:
    kpa = Kpa(target=100.0)
    views = [view(at, load(90), load(90)) for at in range(0, 60, 2)]
    assert wanted(kpa, *views) == 3  # ceil(180 / 70)


def test_kpa_panics_at_twice_and_goes_down_a_minute_after() -> None:
    kpa = Kpa(target=10.0)
    assert wanted(kpa, *(view(at, load(7)) for at in range(0, 60, 2))) == 1
    peak = [view(at, load(70)) for at in range(60, 66, 2)]
    assert wanted(kpa, *peak) == 10  # the last 6 s: 70 / 7
    calm = [view(at, *[load(1)] * 10) for at in range(66, 120, 2)]
    assert wanted(kpa, *calm) == 10
    later = [view(at, *[load(1)] * 10) for at in range(120, 190, 2)]
    assert wanted(kpa, *later) == 5  # no more than half at once


def test_kpa_without_data_decides_nothing() -> None:
    assert wanted(Kpa(), view(0, None, None)) == 2


def test_kubeai_takes_the_mean_of_ten_minutes() -> None:
    kubeai = KubeAi(target=100.0)
    views = [view(at * 10, load(50)) for at in range(59)]
    assert wanted(kubeai, *views) == 1
    # 59 of 50 and one of 4,000: a mean of 115.8.
    assert wanted(kubeai, view(590, load(4_000))) == 2


def test_kubeai_goes_down_after_more_than_three_lower_results_in_a_row() -> None:
    kubeai = KubeAi(target=100.0)
    views = [view(at * 10, load(10), load(10), load(10)) for at in range(4)]
    assert [kubeai.decide(one).serving for one in views] == [3, 3, 3, 1]


def test_aibrix_multiplies_its_replicas_and_at_most_doubles() -> None:
    assert wanted(Aibrix(target=50.0), view(0, load(60), load(60))) == 3
    assert wanted(Aibrix(target=50.0), view(0, load(500), load(500))) == 4
    assert wanted(Aibrix(target=50.0), view(0, load(54), load(54))) == 2


def test_aibrix_counts_starting_replicas_as_if_they_carried_load() -> None:
    # The mean is of the ready two, and three times over the target for five replicas that are ordered.
    assert wanted(Aibrix(target=50.0), view(0, load(150), load(150), starting=3)) == 10


def test_aibrix_reads_a_failure_as_zero_and_halves_after_the_cooldown() -> None:
    aibrix = Aibrix(target=50.0)
    assert wanted(aibrix, view(0, *[load(50)] * 4)) == 4
    blind = [view(at, None, None, None, None) for at in range(10, 400, 10)]
    assert wanted(aibrix, *blind[:20]) == 4
    assert wanted(aibrix, *blind[20:]) == 2


def test_wva_adds_one_where_little_is_spare_and_the_hpa_behind_it_waits() -> None:
    wva = Wva()
    orders = {at: wva.decide(view(at, *[load(40, kv_share=0.75)] * 3)).serving for at in range(0, 300, 15)}
    assert orders[225] == 3
    assert orders[240] == 4


def test_wva_takes_one_only_if_the_others_would_hold() -> None:
    held = [view(at, *[load(9, kv_share=0.5)] * 3) for at in range(0, 300, 15)]
    assert wanted(Wva(), *held) == 3  # 0.5·3/2 = 0.75 leaves 0.05
    free = [view(at, *[load(9, kv_share=0.3)] * 3) for at in range(0, 300, 15)]
    assert wanted(Wva(), *free) == 2  # 0.3·3/2 = 0.45 leaves 0.35


def test_wva_waits_for_the_replicas_that_it_has_ordered() -> None:
    assert wanted(Wva(), view(0, load(40, kv_share=0.79), starting=1)) == 2


def test_dynamo_divides_the_last_intervals_rate_by_an_engines() -> None:
    replica = GPUS["l40s-8b"]
    dynamo = Dynamo(replica, itl=0.05)
    assert wanted(dynamo, view(0, load())) == 1
    # 1,800 in 180 s; T(n) = 50 ms at n = 29/0.83 = 34.9, which is 3.49 a second: 10 / 3.49.
    each = capacity(replica, 1_000, 200, 0.05 / 0.75)
    assert each.rate_per_second == pytest.approx(3.49, abs=0.01)
    assert wanted(dynamo, view(180, load(), arrived=1_800)) == 3


def test_the_capacity_of_a_replica_is_where_its_interval_reaches_the_objective() -> None:
    # c = 110e-6·1150/210 + 60e-6 + 2e-7·1255 = 0.913 ms; n* = (75 - 21)/0.913; rate = n*/(210·0.075)
    found = capacity(GPUS["l40s-8b"], 1_150, 210, 0.1)
    assert found.concurrency == pytest.approx(59.1, abs=0.1)
    assert found.rate_per_second == pytest.approx(3.75, abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_every_policy_is_made_by_name_and_says_its_knobs(name: str) -> None:
    situation = Situation(trace(1.0, 2.0, 3.0), Setup())
    assert policy(name, situation).name == name
    assert knobs_of(name)


@pytest.mark.parametrize("name", PEERS)
def test_no_peer_looks_into_the_trace(name: str) -> None:
    assert not hasattr(policy(name, Situation(trace(1.0), Setup())), "trace")


def test_an_unknown_knob_is_answered_with_those_that_exist() -> None:
    situation = Situation(trace(1.0), Setup())
    with pytest.raises(PolicyError, match="policy kpa has no knob targets: it has target"):
        policy("kpa", situation, {"targets": 3.0})
    with pytest.raises(PolicyError, match="no policy hpb: choose of stoker, hpa"):
        policy("hpb", situation)
