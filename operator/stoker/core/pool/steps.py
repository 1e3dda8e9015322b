"""One replica on its way from the tier that its label says to the tier that it should have, one step at a time.

    label    wanted          step
    serving  serving         none
    serving  warm, asleep    label warm: off traffic before anything else
    warm     warm            drain, until nothing is in flight; then open again, and rest
    warm     serving         label serving, and open, where it rests; else open, and label once it says that it is
    warm     asleep          drain, and label asleep once it is drained
    asleep   asleep          sleep; where it turns out to let requests in, drain first
    asleep   serving, warm   wake, and label warm once a token has proven it

A label is written before what only makes sense behind it, and an order is believed once it was answered. So whoever
takes over after any step goes on with the next. Nothing labelled warm was told to sleep, and nothing labelled serving
was told to drain. What rests costs a promotion no order: the one beside the label only makes what was heard of its rest
unknown, so that it is drained anew when it is demoted. A replica whose agent takes no orders has labels only, and is
never asleep.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stoker.core.names import Tier
from stoker.core.pool.replaced import Replaced
from stoker.core.pool.report import Gate, Heard, Report, Verb
from stoker.core.pool.seat import Seat, Want
from stoker.core.pool.tiers import changes

# Somebody whom the node finds ready and this operator cannot reach serves as well as it did before there were orders.
SILENT_TRIES = 3
LONGEST_WAKE_SECONDS = 240.0


@dataclass(frozen=True, slots=True)
class Step:
    """A label with or without an order behind it, or an order, or another replica in its place."""

    label: Tier | None = None
    tell: Verb | None = None
    replace: Replaced | None = None
    why: str = ""  # it is replaced


STAY = Step()


def steps(seats: Iterable[Seat], want: Want, reports: Mapping[str, Report | None]) -> Mapping[str, Step]:
    """What each replica does next, of those that do something."""
    seats = tuple(seats)
    wanted = changes(seats, want)
    taken = {seat.name: step(seat.tier, wanted.get(seat.name, seat.tier), reports[seat.name]) for seat in seats}
    # What is not ready takes no traffic, and is drained once it is.
    unready = {seat.name for seat in seats if not seat.ready}
    return {
        name: each for name, each in taken.items() if each != STAY and not (name in unready and each.tell is Verb.DRAIN)
    }


def step(label: Tier, wanted: Tier, report: Report | None) -> Step:
    """`report` is None where the agent takes no orders."""
    if report is None:
        goal = Tier.WARM if wanted is Tier.ASLEEP else wanted
        return STAY if label is goal else Step(label=goal)
    return _STEPS[label](wanted, report)


def _from_serving(wanted: Tier, report: Report) -> Step:
    if wanted is not Tier.SERVING:
        return Step(label=Tier.WARM)
    # It was promoted unheard, or while nobody could tell whether the label had been written.
    unheard = report.verb is Verb.OPEN and report.heard is not Heard.DONE
    return Step(tell=Verb.OPEN) if unheard or report.verb is Verb.REST else STAY


def _from_warm(wanted: Tier, report: Report) -> Step:
    if wanted is Tier.SERVING and report.rested:
        return Step(label=Tier.SERVING, tell=Verb.OPEN)
    if wanted is Tier.SERVING:
        silent = report.verb is Verb.OPEN and report.failures >= SILENT_TRIES and not report.closed
        return Step(label=Tier.SERVING) if report.opened or silent else Step(tell=Verb.OPEN)
    if wanted is Tier.WARM and (report.drained or report.verb is Verb.REST):
        return STAY if report.rested else Step(tell=Verb.REST)
    if not report.drained:
        return Step(tell=Verb.DRAIN)
    return Step(label=Tier.ASLEEP)


def _from_asleep(wanted: Tier, report: Report) -> Step:
    if wanted is not Tier.ASLEEP:
        return _waking(report)
    if report.sleepless:
        return Step(label=Tier.WARM)
    if report.fast_asleep:
        return STAY
    lets_in = report.asleep is False and report.gate in (Gate.OPEN, Gate.LEAVING)
    return Step(tell=Verb.DRAIN if lets_in else Verb.SLEEP)


def _waking(report: Report) -> Step:
    if report.awake:
        return Step(label=Tier.WARM)
    if report.verb is Verb.WAKE and report.trouble:
        return Step(replace=Replaced.WAKE_UP_FAILED, why=f"it did not wake up: {report.trouble}")
    if report.verb is Verb.WAKE and report.for_seconds >= LONGEST_WAKE_SECONDS:
        why = f"it was not awake {LONGEST_WAKE_SECONDS:.0f} s after it was told to wake up"
        return Step(replace=Replaced.WAKE_UP_LATE, why=why)
    return Step(tell=Verb.WAKE)


_STEPS = {Tier.SERVING: _from_serving, Tier.WARM: _from_warm, Tier.ASLEEP: _from_asleep}
