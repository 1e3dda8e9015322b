"""Which step a rollout is in. The step stands in the status, and a step that was reached is not left again: a pod that
flaps must not move traffic back and forth, and a full cluster need not be waited for at each replica."""

from enum import StrEnum

from stoker.api.v1alpha1.rollout import RolloutStrategy


class Step(StrEnum):
    """As status.revisions has it, of the revision that comes."""

    SURGING = "Surging"  # one replica more than wanted, while the next one loads
    EXCHANGING = "Exchanging"  # one replica fewer than wanted, while the next one loads
    HOLDING = "Holding"  # a second full set loads off traffic
    SWITCHED = "Switched"  # traffic went to the second set


def step_named(state: str | None) -> Step | None:
    """Other states of a revision are no step of a rollout."""
    return Step(state) if state in set(Step) else None


def step_of(strategy: RolloutStrategy, before: Step | None, *, no_room: bool, whole: bool, unserved: bool) -> Step:
    """`whole` tells that all of the new set is ready, `unserved` that no old replica is, so that nothing is gained by
    holding the new ones off traffic."""
    match strategy:
        case RolloutStrategy.REPLACE:
            return Step.EXCHANGING
        case RolloutStrategy.SURGE:
            return Step.SURGING
        case RolloutStrategy.BLUE_GREEN:
            return Step.SWITCHED if whole or unserved or before is Step.SWITCHED else Step.HOLDING
        case _:
            return Step.EXCHANGING if no_room or before is Step.EXCHANGING else Step.SURGING
