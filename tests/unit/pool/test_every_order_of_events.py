"""Small worlds in every order of their events, with the operator ending between any two writes and orders that are
late or lost. In each state:

1. no request is sent to a replica that sleeps or refuses it;
2. no replica that works is put to sleep, and none that is known to work is ended before its deadline;
3. no replica that serves is taken off traffic while it is needed;
4. what is wanted comes about once nothing goes wrong any more.
"""

import time
from dataclasses import replace

import pytest

from stoker.core.names import Tier
from stoker.core.pool.report import Gate, Heard, Report, Verb
from stoker.core.pool.seat import Want
from tests.unit.pool.model.explore import explored
from tests.unit.pool.model.world import Faults, Pod, Sleep, World

MOST_STATES = 60_000


def pods(*tiers: Tier) -> tuple[Pod, ...]:
    """Settled, whoever decided it."""
    return tuple(
        Pod(
            number,
            tier,
            routed=tier is Tier.SERVING,
            gate=Gate.OPEN if tier is Tier.SERVING else Gate.REFUSING,
            sleep=Sleep.ASLEEP if tier is Tier.ASLEEP else Sleep.AWAKE,
        )
        for number, tier in enumerate(tiers)
    )


def at_rest(*tiers: Tier) -> tuple[Pod, ...]:
    """Settled, and the warm ones have been heard to rest."""
    rested = Report(Verb.REST, Heard.DONE, Gate.OPEN, asleep=False, in_flight=0)
    return tuple(replace(pod, gate=Gate.OPEN, report=rested) if pod.label is Tier.WARM else pod for pod in pods(*tiers))


S, W, A = Tier.SERVING, Tier.WARM, Tier.ASLEEP
WORLDS = {
    "a promotion and a demotion, an order lost, an operator killed": World(
        pods(S, W), (Want(2), Want(1, 1)), Faults(crashes=1, lost=1), requests=1
    ),
    "a promotion from rest and a demotion, an order lost, an operator killed": World(
        at_rest(S, W), (Want(2), Want(1, 1)), Faults(crashes=1, lost=1), requests=1
    ),
    "from rest to and fro, a label whose answer is lost": World(
        at_rest(S, W), (Want(2), Want(1, 1), Want(2)), Faults(unanswered=1), requests=1
    ),
    "from rest to sleep and back, an operator killed": World(
        at_rest(S, W), (Want(1, 0, 1), Want(2)), Faults(crashes=1), requests=1
    ),
    "to and fro, an operator killed": World(
        pods(S, W), (Want(1, 1), Want(2), Want(1, 1)), Faults(crashes=1), requests=1
    ),
    "a promotion and a demotion, two orders lost": World(pods(S, W), (Want(2), Want(1, 1)), Faults(lost=2), requests=1),
    "a promotion and a demotion, a container that dies": World(
        pods(S, W), (Want(2), Want(1, 1)), Faults(restarts=1), requests=1
    ),
    "one replica less, an order lost, an operator killed": World(
        pods(S, S), (Want(1),), Faults(crashes=1, lost=1), requests=1
    ),
    "one of three less, two requests": World(pods(S, S, S), (Want(2),), requests=2),
    "a warm one less, an operator killed": World(pods(S, W, W), (Want(1, 1),), Faults(crashes=1), requests=1),
    "to sleep and back": World(pods(S, S), (Want(1, 0, 1), Want(2)), requests=2),
    "to sleep and back, an order lost, an operator killed": World(
        pods(S, S), (Want(1, 0, 1), Want(2)), Faults(crashes=1, lost=1)
    ),
    "a sleeper whose container dies": World(pods(S, A), (Want(1, 0, 1), Want(2)), Faults(crashes=1, restarts=1)),
    "a wake-up that fails, an operator killed": World(pods(S, A), (Want(2),), Faults(crashes=1, stuck=1), requests=1),
    "a warm one promoted before a sleeper is woken, an operator killed": World(
        pods(S, W, A), (Want(2, 0, 1), Want(1, 1, 1)), Faults(crashes=1)
    ),
    "four replicas and everything wanted otherwise": World(pods(S, S, W, A), (Want(3, 0, 1), Want(1, 2, 1))),
    "four replicas, an operator killed": World(pods(S, S, W, A), (Want(4),), Faults(crashes=1), requests=1),
}


@pytest.mark.parametrize("name", WORLDS)
def test_what_is_promised_holds_in_every_order(name: str, report: list[str]) -> None:
    began = time.monotonic()
    found = explored(WORLDS[name], MOST_STATES)
    report.append(f"{found.states:7d} states {found.moves:8d} moves {time.monotonic() - began:5.1f} s  {name}")
