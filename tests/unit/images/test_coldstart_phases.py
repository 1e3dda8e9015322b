"""A start of vLLM is split into phases by what it says, and the phases add up to the whole."""

import pytest

from bench.coldstart.__main__ import medians
from bench.coldstart.phases import PHASES, phases_of

HEALTHY, COMPLETED = 19.0, 19.5
SAID = tuple((float(3 * (number + 1)), f"INFO {phase.marker} x") for number, phase in enumerate(PHASES))


def test_phases_add_up_to_the_first_completion() -> None:
    phases = phases_of(SAID, HEALTHY, COMPLETED)
    assert list(phases) == [*(phase.name for phase in PHASES), "API server up", "first completion"]
    assert sum(phases.values()) == pytest.approx(COMPLETED)
    assert phases[PHASES[1].name] == pytest.approx(3.0)


def test_a_phase_that_this_version_does_not_tell_is_counted_into_the_next() -> None:
    silent = [line for line in SAID if PHASES[1].marker not in line[1]]
    phases = phases_of(silent, HEALTHY, COMPLETED)
    assert PHASES[1].name not in phases
    assert phases[PHASES[2].name] == pytest.approx(6.0)
    assert sum(phases.values()) == pytest.approx(COMPLETED)


def test_a_server_that_says_nothing_still_has_a_whole() -> None:
    assert phases_of((), HEALTHY, COMPLETED) == {"API server up": HEALTHY, "first completion": 0.5}


def test_a_marker_that_was_said_before_its_turn_does_not_count() -> None:
    early = ((0.5, f"INFO {PHASES[1].marker}"), *SAID)
    assert phases_of(early, HEALTHY, COMPLETED) == phases_of(SAID, HEALTHY, COMPLETED)


def test_figures_are_medians_of_the_rounds() -> None:
    assert medians([{"total": 3.0}, {"total": 9.0}, {"total": 4.0}]) == {"total": 4.0}
