"""What a replica is believed to carry."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoker.core.scaling.capacity import FIRST_CONFIDENCE, Capacity, Fit, estimate, itl_aim_seconds, taught, used
from stoker.core.scaling.observation import Aims, Prior
from stoker.core.scaling.restart import kept, recalled
from stoker.core.scaling.windows import Lesson, Passed, look
from tests.unit.scaling.builders import PRIOR, load, replica
from tests.unit.scaling.toy_cluster import ToyCluster

AIMS = Aims()
TRUE_N = 55.0
"""Where 20 ms + 1 ms·n is 75 ms."""


def lesson(n: float, tokens: float = 100.0, base: float = 0.02, each: float = 0.001, **fields: float) -> Lesson:
    """Twenty seconds of a replica with n requests at once."""
    gap = base + each * n
    gaps = 20.0 * n / gap
    requests = gaps / tokens
    window = Passed(20.0, requests, 0.0, requests, 0.1 * requests, gaps, gaps * gap, n)._replace(**fields)
    return Lesson(replica(load=load(in_flight=int(n))), window, None)


def fitted(*concurrencies: float, times: int = 30) -> Fit:
    fit = Fit()
    for _ in range(times):
        for n in concurrencies:
            fit = taught(fit, lesson(n), AIMS, 0.0)
    return fit


def test_a_stricter_percentile_fills_a_replica_less() -> None:
    fit = fitted(10.0, 30.0, 50.0)
    full = []
    for percentile in (50, 95, 99):
        found = estimate(fit, Aims(percentile=percentile), PRIOR)
        assert found is not None
        full.append(found.n_star)
    assert full[0] > full[1] > full[2]
    assert itl_aim_seconds(Aims()) == pytest.approx(0.075)


def known(fit: Fit, prior: Prior = PRIOR) -> Capacity:
    found = estimate(fit, AIMS, prior)
    assert found is not None
    return found


def test_before_anything_is_seen_it_is_seven_tenths_of_the_guess() -> None:
    found = known(Fit())
    assert found.n_star == pytest.approx(0.7 * 40.0, rel=0.01)
    assert found.rate_per_second == pytest.approx(0.7 * 4.0, rel=0.02)
    assert found.confidence == 0.0


def test_nothing_known_and_nothing_seen_is_unknown() -> None:
    assert estimate(Fit(), AIMS, Prior()) is None


def test_the_first_window_is_believed_with_caution_where_nothing_was_guessed() -> None:
    found = known(fitted(25.0, times=1), Prior())
    assert found.confidence == FIRST_CONFIDENCE
    true_rate = TRUE_N / (100.0 * 0.075)
    assert 0.4 * true_rate < found.rate_per_second < true_rate
    assert known(fitted(25.0, times=1), Prior(max_concurrency=30)).n_star == pytest.approx(30.0)


def test_concurrency_and_rate_are_learned_without_any_guess() -> None:
    found = known(fitted(25.0, 40.0), Prior())
    assert found.n_star == pytest.approx(TRUE_N, rel=0.1)
    assert found.rate_per_second == pytest.approx(TRUE_N / (100.0 * 0.075), rel=0.1)


def test_windows_overrule_a_guess_that_was_far_too_high() -> None:
    found = known(fitted(20.0, 40.0), Prior(n_star=300.0, rate_per_second=40.0))
    assert found.rate_per_second < 1.05 * TRUE_N / (100.0 * 0.075)


def test_what_was_seen_at_low_load_is_not_believed_far_above_it() -> None:
    assert known(fitted(3.0, 5.0), Prior()).n_star <= 4.0 * 5.0


def test_one_slow_window_is_no_reason_to_believe_that_a_replica_carries_next_to_nothing() -> None:
    """Sixteen requests took 94 ms where sixty were guessed to take 75."""
    guess = Prior(n_star=65.0, rate_per_second=4.3)
    found = known(taught(Fit(), lesson(16.0, base=0.094, each=0.0), AIMS, 0.0), guess)
    assert 6.0 < found.n_star < 14.0
    assert found.rate_per_second > 0.5 * found.likely_per_second


@given(st.lists(st.tuples(st.floats(2.0, 12.0), st.floats(0.03, 0.07)), min_size=1, max_size=12))
def test_what_replicas_were_seen_to_carry_inside_the_aim_they_are_believed_to_carry(
    windows: list[tuple[float, float]],
) -> None:
    """However their scatter turns the line."""
    fit = Fit()
    for n, gap in windows:
        fit = taught(fit, lesson(n, base=gap, each=0.0), AIMS, 0.0)
    doubt_too = 0.15 * itl_aim_seconds(AIMS)
    if fit.t / fit.weight + doubt_too <= itl_aim_seconds(AIMS):
        assert known(fit, Prior(n_star=60.0, rate_per_second=6.0)).n_star >= 0.99 * fit.n / fit.weight


def test_idle_overloaded_preempting_and_uneven_windows_teach_nothing() -> None:
    fit = fitted(20.0, 30.0)
    for bad in (
        lesson(0.5),
        lesson(300.0),
        lesson(30.0, preemptions=1.0),
        lesson(30.0, finished=1.0),
        lesson(30.0, itl_count=3.0),
        lesson(30.0, itl_sum_seconds=float("nan")),
    ):
        assert taught(fit, bad, AIMS, 0.0) == fit


def test_a_queue_teaches_nothing_about_a_replica_of_which_there_is_a_guess() -> None:
    guessed = Fit(used=known(Fit()))
    assert taught(guessed, lesson(300.0), AIMS, 0.0) == guessed
    assert taught(Fit(), lesson(300.0), AIMS, 0.0).weight == 1.0


def test_a_burst_that_is_over_between_two_looks_is_a_full_replica_and_no_slow_one() -> None:
    """Forty requests decode at once for two of twenty seconds: the mean of the window is four."""
    gap = 0.02 + 0.001 * 40.0
    gaps, seen, lesson_of_burst = int(40 * 2.0 / gap), None, None
    for second in range(0, 24, 2):
        came = 40 if second >= 6 else 0
        counted = gaps if came else 0
        now = load(
            at_seconds=float(second),
            arrivals=came,
            finished=came,
            ttft_count=came,
            ttft_sum_seconds=0.1 * came,
            itl_count=counted,
            itl_sum_seconds=counted * gap,
        )
        found = look(replica(load=now), seen, float(second))
        seen, lesson_of_burst = found.seen, found.lesson or lesson_of_burst
    assert lesson_of_burst is not None
    assert lesson_of_burst.fit is not None
    assert lesson_of_burst.fit.met == pytest.approx(40.0, rel=0.02)


def test_longer_prompts_are_learned_and_the_old_ones_forgotten() -> None:
    fit = fitted(20.0, 40.0, times=40)
    before = known(fit).rate_per_second
    for _ in range(120):
        for n in (15.0, 25.0):
            fit = taught(fit, lesson(n, each=0.003), AIMS, 0.0)
    assert known(fit).rate_per_second < 0.5 * before


def test_the_kv_cache_bounds_the_concurrency() -> None:
    fit = Fit()
    for _ in range(60):
        for n in (20.0, 30.0):
            window = lesson(n)
            full = replica(load=load(running=int(n), kv_share=0.03 * n))
            fit = taught(fit, Lesson(full, window.fit, None), AIMS, 0.0)
    assert known(fit).n_star <= 0.85 / 0.03 * 1.01


def test_belief_falls_at_once_and_rises_the_faster_the_surer_it_is() -> None:
    low, high = Capacity(10.0, 1.0, 1.0, 0.0), Capacity(40.0, 4.0, 4.0, 0.0)
    assert used(high, low, 0.0, 10.0).rate_per_second == 1.0
    assert used(low, high, 0.0, 60.0).rate_per_second == pytest.approx(1.05)
    assert used(low, high, 3.0, 10.0).rate_per_second == 3.0
    assert used(low, replace(high, confidence=0.5), 0.0, 60.0).rate_per_second == pytest.approx(1.05**2)
    assert used(low, replace(high, confidence=1.0), 0.0, 60.0).rate_per_second == pytest.approx(1.05**20)


@given(st.floats(1.0, 200.0), st.floats(0.1, 50.0))
def test_a_higher_guess_never_gives_a_lower_belief(n_star: float, rate: float) -> None:
    lower, higher = known(Fit(), Prior(n_star, rate)), known(Fit(), Prior(n_star, 2.0 * rate))
    assert lower.rate_per_second <= higher.rate_per_second


def test_what_was_learned_survives_in_status() -> None:
    cluster = ToyCluster(seed=3, count=2)
    cluster.run(2400, 8.0)
    before = cluster.tick(8.0).explanation
    status = kept(cluster.memory, cluster.prior)
    assert status.capacities[0].confidence_percent > 50
    assert status.wanted == before.serving
    cluster.memory = recalled(status, AIMS)
    after = cluster.tick(8.0).explanation
    assert after.capacity_per_second == pytest.approx(before.capacity_per_second, rel=0.1)
    assert after.n_star == pytest.approx(before.n_star, rel=0.1)


def test_a_capacity_that_was_a_guess_is_guessed_anew() -> None:
    cluster = ToyCluster(seed=3, count=2)
    cluster.run(10, 0.0)
    assert not recalled(kept(cluster.memory, cluster.prior), AIMS).fits
