"""What happens by itself: agents carry out orders, routing follows labels, requests come and end, containers die."""

from collections.abc import Iterator
from dataclasses import replace

from stoker.agents.answers import Found, Taken
from stoker.agents.orders import after_answer
from stoker.core.names import Tier
from stoker.core.pool.report import UNHEARD, Gate, Heard, Verb
from tests.unit.pool.model.operator import silent
from tests.unit.pool.model.world import BrokenPromiseError, Order, Pod, Since, Sleep, World, ranked


def happens(world: World, pod: Pod) -> Iterator[World]:
    """Everything that may be next for one replica, without anything going wrong; what is expected first, first."""
    for order in pod.orders:
        if order.awaited:
            carried, heard = _carried_out(pod, order)
            yield world.with_pod(_answered(carried, order, heard))
    if pod.gate is Gate.LEAVING and (not pod.routed or pod.label is Tier.SERVING):
        # Whoever leaves waits until routing has forgotten it, and does not wait for ever.
        yield world.with_pod(replace(pod, gate=Gate.REFUSING))
    if pod.sleep in (Sleep.FALLING, Sleep.WAKING):
        after = Sleep.ASLEEP if pod.sleep is Sleep.FALLING else Sleep.AWAKE
        yield world.with_pod(replace(pod, sleep=after))
    if not pod.ready:
        yield world.with_pod(replace(pod, ready=True))
    if pod.routed != (pod.ready and pod.label is Tier.SERVING):
        yield world.with_pod(replace(pod, routed=not pod.routed))
    if pod.in_flight:
        yield world.with_pod(replace(pod, in_flight=False))
    if pod.label is Tier.DRAINING and pod.since is not Since.DEADLINE:
        yield world.with_pod(replace(pod, since=Since(pod.since + 1)))


def arrives(world: World, pod: Pod) -> Iterator[World]:
    if world.requests and pod.routed and not pod.in_flight:
        yield world.with_pod(replace(pod, in_flight=True), requests=world.requests - 1)


def goes_wrong(world: World, pod: Pod) -> Iterator[World]:
    faults = world.faults
    for order in pod.orders:
        rest = _without(pod, order)
        if not order.awaited:
            yield world.with_pod(rest)  # it never comes
            yield world.with_pod(_carried_out(pod, order)[0])
        elif faults.lost:
            fewer = replace(faults, lost=faults.lost - 1)
            late = tuple(replace(each, awaited=False) if each is order else each for each in pod.orders)
            yield world.with_pod(silent(replace(pod, orders=late), order.verb), faults=fewer)
            yield world.with_pod(silent(_carried_out(pod, order)[0], order.verb), faults=fewer)
    if faults.restarts and pod.ready:
        born = Pod(pod.name, pod.label, ready=False, routed=pod.routed, since=pod.since, report=UNHEARD)
        yield world.with_pod(born, faults=replace(faults, restarts=faults.restarts - 1))
    if faults.stuck and pod.sleep is Sleep.WAKING and pod.report.verb is Verb.WAKE:
        told = replace(pod.report, heard=Heard.UNDER_WAY, trouble="no token")
        stuck = replace(pod, sleep=Sleep.ASLEEP, report=told)
        yield world.with_pod(stuck, faults=replace(faults, stuck=faults.stuck - 1))


def require_traffic_is_served(world: World) -> None:
    for pod in world.pods:
        if pod.routed and pod.sleep is not Sleep.AWAKE:
            raise BrokenPromiseError("Requests are sent to a replica that sleeps.")
        if pod.routed and pod.gate is Gate.REFUSING:
            raise BrokenPromiseError("Requests are sent to a replica that refuses them.")


def _without(pod: Pod, order: Order) -> Pod:
    return ranked(replace(pod, orders=tuple(each for each in pod.orders if each is not order)))


def _carried_out(pod: Pod, order: Order) -> tuple[Pod, Heard]:
    """As the agent does; what comes after a later order is passed over."""
    if order.number < pod.latest:
        return _without(pod, order), Heard.REFUSED
    return _VERBS[order.verb](_without(replace(pod, latest=order.number), order))


def _drained(pod: Pod) -> tuple[Pod, Heard]:
    pod = replace(pod, gate=Gate.LEAVING) if pod.gate is Gate.OPEN else pod
    done = pod.gate is Gate.REFUSING and not pod.in_flight
    return pod, Heard.DONE if done else Heard.UNDER_WAY


def _opened(pod: Pod) -> tuple[Pod, Heard]:
    return (replace(pod, gate=Gate.OPEN), Heard.DONE) if pod.sleep is Sleep.AWAKE else (pod, Heard.REFUSED)


def _put_to_sleep(pod: Pod) -> tuple[Pod, Heard]:
    if pod.in_flight:
        raise BrokenPromiseError("A replica that works is told to sleep.")
    if pod.sleep is Sleep.AWAKE:
        asleep = pod.gate is Gate.REFUSING
        return (replace(pod, sleep=Sleep.FALLING), Heard.UNDER_WAY) if asleep else (pod, Heard.REFUSED)
    told = {Sleep.ASLEEP: Heard.DONE, Sleep.FALLING: Heard.UNDER_WAY, Sleep.WAKING: Heard.REFUSED}
    return pod, told[pod.sleep]


def _woken(pod: Pod) -> tuple[Pod, Heard]:
    told = {Sleep.AWAKE: Heard.DONE, Sleep.FALLING: Heard.REFUSED}
    return (pod, told[pod.sleep]) if pod.sleep in told else (replace(pod, sleep=Sleep.WAKING), Heard.UNDER_WAY)


_VERBS = {Verb.DRAIN: _drained, Verb.OPEN: _opened, Verb.REST: _opened, Verb.SLEEP: _put_to_sleep, Verb.WAKE: _woken}


def _answered(pod: Pod, order: Order, heard: Heard) -> Pod:
    if pod.report.verb is not order.verb:
        return pod
    seen = Found(str(pod.name), pod.gate, pod.sleep is not Sleep.AWAKE, int(pod.in_flight))
    return replace(pod, report=after_answer(pod.report, Taken(heard), seen))
