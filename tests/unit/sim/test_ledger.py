"""What is booked, and what counts as a change of mind."""

from stoker.sim.ledger import Ledger


def test_only_what_lies_in_the_measured_time_is_booked() -> None:
    ledger = Ledger(300.0, 1_000.0)
    ledger.charge("serving", 0.0, 400.0)
    ledger.charge("serving", 900.0, 1_200.0)
    ledger.charge("warm", 10.0, 20.0)
    assert ledger.gpu_seconds["serving"] == 200.0
    assert ledger.gpu_seconds["warm"] == 0.0


def test_a_reversal_is_a_turn_within_five_minutes() -> None:
    ledger = Ledger(0.0, 10_000.0)
    for now, target in ((0, 2), (100, 4), (150, 4), (350, 3), (700, 5), (800, 6)):
        ledger.ordered(target, float(now))
    assert (ledger.actions, ledger.reversals, ledger.direction_changes) == (4, 1, 2)


def test_turns_before_the_measured_time_do_not_count_and_are_not_forgotten() -> None:
    ledger = Ledger(300.0, 10_000.0)
    for now, target in ((0, 2), (290, 4), (310, 3)):
        ledger.ordered(target, float(now))
    assert (ledger.actions, ledger.reversals) == (1, 1)
