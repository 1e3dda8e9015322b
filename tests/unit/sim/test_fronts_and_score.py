"""How costs at a share are compared."""

import pytest

from bench.autoscaling.fronts import Measured, cost_at, frozen
from bench.autoscaling.matrix import COMPARED, full, grid
from bench.autoscaling.score import Interval, Kind, dominated, ratio, score
from bench.autoscaling.setting import Cell, Setting

CELL = Cell("steady", 40.0, 0)


def measured(policy: str, *points: tuple[float, float], seeds: int = 3, spread: float = 0.0) -> list[Measured]:
    return [
        Measured(
            Setting(policy, str(index) if index else "default"),
            tuple(share + spread * seed for seed in range(seeds)),
            (cost,) * seeds,
        )
        for index, (share, cost) in enumerate(points)
    ]


def test_a_cost_between_two_settings_is_a_mix_of_them() -> None:
    assert cost_at([(0.9, 2.0), (1.0, 4.0)], 0.95) == pytest.approx(3.0)


def test_a_setting_above_the_hull_costs_nothing_to_anyone() -> None:
    assert cost_at([(0.9, 2.0), (0.95, 9.0), (1.0, 4.0)], 0.95) == pytest.approx(3.0)


def test_a_dearer_setting_with_less_inside_is_never_mixed_in() -> None:
    assert cost_at([(0.9, 8.0), (0.99, 4.0)], 0.95) == 4.0


def test_a_share_that_no_setting_reaches_has_no_cost() -> None:
    assert cost_at([(0.9, 2.0)], 0.95) is None


def test_the_settings_of_the_front_and_the_default_are_run_on_other_seeds() -> None:
    ours = {
        Setting("stoker"): (0.5, 1.0),
        Setting("stoker", "front"): (0.951, 2.0),
        Setting("stoker", "useless"): (0.97, 9.0),
        Setting("stoker", "best"): (0.9991, 3.0),
    }
    found = frozen({"stoker": ours, "hpa": {Setting("hpa"): (0.9, 1.0)}}, "stoker")
    assert [one.label for one in found["stoker"]] == ["default", "front", "best"]


def test_of_a_peer_that_is_clearly_dearer_than_another_only_the_default_is_run_again() -> None:
    tuned = {
        "stoker": {Setting("stoker"): (0.5, 1.0)},
        "kpa": {Setting("kpa"): (0.9, 1.0), Setting("kpa", "tuned"): (0.9995, 3.0)},
        "hpa": {Setting("hpa"): (0.9, 1.0), Setting("hpa", "close"): (0.9994, 4.0)},
        "keda": {Setting("keda"): (0.9, 8.0), Setting("keda", "dear"): (0.97, 9.0)},
    }
    found = frozen(tuned, "stoker")
    assert [[one.label for one in found[name]] for name in ("kpa", "hpa", "keda")] == [
        ["default", "tuned"],
        ["default", "close"],
        ["default"],
    ]


def test_the_ratio_is_to_the_cheapest_peer_that_reaches_the_share() -> None:
    found = ratio({"stoker": [(0.99, 3.0)], "hpa": [(0.99, 4.0)], "kpa": [(0.9, 1.0)]}, 0.98)
    assert (found.value, found.peer, found.kind) == (0.75, "hpa", Kind.COMPARED)


def test_where_no_peer_reaches_it_the_gain_is_capped() -> None:
    found = ratio({"stoker": [(0.99, 1.0)], "hpa": [(0.9, 4.0)]}, 0.98)
    assert (found.value, found.kind) == (0.5, Kind.ALONE)


def test_where_a_peer_alone_reaches_it_it_is_a_loss() -> None:
    found = ratio({"stoker": [(0.9, 1.0)], "hpa": [(0.99, 4.0)]}, 0.98)
    assert (found.value, found.kind) == (2.0, Kind.LOSS)


def test_where_nobody_reaches_it_costs_are_compared_at_the_best_common_share() -> None:
    found = ratio({"stoker": [(0.8, 3.0)], "hpa": [(0.85, 4.0)], "kpa": [(0.7, 1.0)]}, 0.98)
    assert (found.value, found.peer, found.kind) == (0.75, "hpa", Kind.NEITHER)


def test_what_nobody_reaches_counts_as_a_loss_in_the_strict_score_alone() -> None:
    cells = {CELL: {"stoker": measured("stoker", (0.985, 1.0)), "hpa": measured("hpa", (0.985, 2.0))}}
    found, strict = score(cells, 3), score(cells, 3, strict=True)
    assert found is not None
    assert strict is not None
    assert found.value == pytest.approx(0.5)
    assert strict.value == pytest.approx(1.0)  # two at 0.5, two at 2


def test_equal_policies_score_one_without_an_interval() -> None:
    cells = {CELL: {"stoker": measured("stoker", (0.999, 2.0)), "hpa": measured("hpa", (0.999, 2.0))}}
    assert score(cells, 3) == Interval(1.0, 1.0, 1.0)


def test_no_score_is_made_up_where_nobody_reaches_anything() -> None:
    cells = {CELL: {"stoker": measured("stoker", (0.5, 2.0)), "hpa": measured("hpa", (0.6, 2.0))}}
    assert score(cells, 3) is None


def test_a_peer_that_is_better_on_both_axes_beyond_chance_dominates() -> None:
    ours = measured("stoker", (0.95, 3.0))
    better, dearer = measured("hpa", (0.96, 2.5)), measured("kpa", (0.99, 3.0))
    found = dominated(CELL, {"stoker": ours, "hpa": better, "kpa": dearer}, 3)
    assert [one.by.setting.policy for one in found] == ["hpa"]


def test_tuning_and_reporting_share_no_seed() -> None:
    matrix = full()
    assert not set(matrix.tuning_seeds) & set(matrix.reporting_seeds)
    assert len(matrix.reporting_seeds) >= 5
    assert len(matrix.cells) == 8 * 3 * 2


@pytest.mark.parametrize("policy", COMPARED)
def test_every_grid_begins_with_the_default_and_turns_one_knob(policy: str) -> None:
    settings = grid(policy, finer=True)
    assert settings[0] == Setting(policy)
    assert len({knob for one in settings for knob, _ in one.knobs}) <= 1
    assert len(settings) >= 5
