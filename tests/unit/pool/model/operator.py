"""The operator: it looks, plans by its real code, and acts one write after the other. It may end after any of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from stoker.agents.orders import before_answer
from stoker.core.names import Tier
from stoker.core.pool.leaving import Leaver, farewell
from stoker.core.pool.report import UNHEARD, Heard, Report, Verb
from stoker.core.pool.seat import Seat, Want
from stoker.core.pool.steps import SILENT_TRIES, steps
from stoker.core.pool.victims import victim
from tests.unit.pool.model.world import Act, BrokenPromiseError, Order, Pod, Since, World, ranked

FLOOR_SECONDS, GRACE_SECONDS = 5.0, 300.0
Seen = tuple[int, Tier, bool, Report, Since]
_SECONDS = {Since.JUST_NOW: 1.0, Since.FLOOR: 20.0, Since.DEADLINE: 400.0}


def looks(world: World) -> World:
    # It sees nothing of the agents themselves, so many worlds look the same to it.
    plan = _plan(tuple((pod.name, pod.label, pod.ready, pod.report, pod.since) for pod in world.pods), world.want)
    return replace(world, plan=plan, looked=not plan)


def _seat(pod: Pod) -> Seat:
    return Seat(
        name=str(pod.name),
        tier=pod.label,
        ready=pod.ready,
        current=True,
        placed=True,
        created_seconds=float(pod.name),
        in_flight=pod.report.in_flight,
        reachable=pod.report.failures < SILENT_TRIES,
        sleeps=not pod.report.sleepless,
    )


@cache
def _plan(seen: tuple[Seen, ...], want: Want) -> tuple[Act, ...]:
    pods = tuple(
        Pod(name, label, ready=ready, report=report, since=since) for name, label, ready, report, since in seen
    )
    plan = (*_moves(pods, want), *_departures(pods))
    _require_enough(pods, want, plan)
    return plan


def _moves(pods: tuple[Pod, ...], want: Want) -> Iterator[Act]:
    staying = {str(pod.name): pod for pod in pods if pod.label is not Tier.DRAINING}
    seats = [_seat(pod) for pod in staying.values()]
    for name, step in steps(seats, want, {name: pod.report for name, pod in staying.items()}).items():
        pod = staying[name]
        if step.label:
            yield Act("label", pod.name, pod.api, step.label)
        if step.replace:
            yield Act("delete", pod.name, pod.api)
        if step.tell:
            yield Act("tell", pod.name, verb=step.tell)
    if len(staying) < want.replicas:
        yield Act("grow")
    elif len(staying) > want.replicas:
        pod = staying[victim(seats, want.replicas).name]
        yield Act("detach", pod.name, pod.api, Tier.DRAINING)


def _departures(pods: tuple[Pod, ...]) -> Iterator[Act]:
    for pod in pods:
        if pod.label is Tier.DRAINING:
            parting = farewell(Leaver(_SECONDS[pod.since], pod.ready, pod.report), FLOOR_SECONDS, GRACE_SECONDS)
            if parting.wait_seconds <= 0:
                yield Act("delete", pod.name, pod.api, blind=pod.report.in_flight is None)
            elif parting.drain:
                yield Act("tell", pod.name, verb=Verb.DRAIN)


def _require_enough(pods: tuple[Pod, ...], want: Want, plan: Sequence[Act]) -> None:
    serving = {pod.name for pod in pods if pod.label is Tier.SERVING and pod.ready}
    leave = serving & {act.pod for act in plan if act.label not in (None, Tier.SERVING) or act.kind == "delete"}
    if leave and len(serving - leave) < want.serving:
        raise BrokenPromiseError("A replica that serves is taken off traffic while it is needed.")


def acts(world: World) -> World:
    """The next write of the plan. Where the world has moved on since it was made, it ends."""
    act, rest = world.plan[0], world.plan[1:]
    world = replace(world, plan=rest, looked=False)
    if act.kind == "grow":
        number = max((pod.name for pod in world.pods), default=-1) + 1
        return replace(world, pods=(*world.pods, Pod(number, ready=False, routed=False)))
    pod = world.of(act.pod)
    if pod is None or (act.seen and pod.api != act.seen):
        return replace(world, plan=())
    if act.verb:
        return world.with_pod(given(pod, act.verb))
    if act.kind == "delete":
        if pod.in_flight and pod.since is not Since.DEADLINE and not act.blind:
            raise BrokenPromiseError("A replica that is known to work is ended before its deadline.")
        return replace(world, pods=tuple(each for each in world.pods if each is not pod))
    assert act.label
    return world.with_pod(replace(pod, label=act.label, since=Since.JUST_NOW))


def unanswered(world: World) -> Iterator[World]:
    """The label is written and the answer is lost, so the rest of the plan is not carried out."""
    if world.faults.unanswered and world.plan[0].kind == "label":
        faults = replace(world.faults, unanswered=world.faults.unanswered - 1)
        yield replace(acts(world), plan=(), faults=faults)


def given(pod: Pod, verb: Verb) -> Pod:
    """One at a time; an order that waits for the end of another makes unknown what was known all the same."""
    report = pod.report if pod.report.verb is verb else before_answer(pod.report, verb)
    pod = replace(pod, report=report)
    if any(order.awaited for order in pod.orders):
        return pod
    number = pod.sends + 1
    return ranked(replace(pod, orders=(*pod.orders, Order(verb, number)), sends=number))


def silent(pod: Pod, verb: Verb) -> Pod:
    """Its time is over, and nobody answered."""
    if pod.report.verb is not verb:
        return pod
    return replace(pod, report=replace(pod.report, heard=Heard.SILENT, failures=pod.report.failures + 1))


def crashes(world: World) -> World:
    """What it had sent may come all the same; what it had heard is lost."""
    pods = tuple(
        replace(pod, report=UNHEARD, orders=tuple(replace(order, awaited=False) for order in pod.orders))
        for pod in world.pods
    )
    faults = replace(world.faults, crashes=world.faults.crashes - 1)
    return replace(world, pods=pods, plan=(), faults=faults, looked=False)
