"""The text of `stoker explain`."""

from collections.abc import Iterator

from stoker.cli.fleet.account import Account, ago, moment, remedy
from stoker.cli.fleet.prospects import prospects
from stoker.cli.fleet.screen import COLOURS, number
from stoker.cli.fleet.seen import Seen, number_in, objects_in, part
from stoker.cli.fleet.why import Why, is_abnormal, why
from stoker.cli.paint import PLAIN, Colour, Paint, printable
from stoker.core.counted import counted


def text(account: Account, paint: Paint = PLAIN) -> str:
    model = account.model
    now = why(model)
    title = f"ModelDeployment {model.namespace}/{model.name}"
    parts = [
        f"{paint(title, Colour.HEAD)}: {paint(now.reason, COLOURS[now.mood])}",
        *_indented([printable(now.message), *_advice(model, now)]),
        *_section("Replicas", _replicas(model), paint),
        *_section("Last scaling decision", _decision(account), paint),
        *_section("What would change the number", prospects(model), paint),
        *_section("Conditions", _conditions(model, paint), paint),
        *_section("Lately", _events(account, paint), paint),
    ]
    return "\n".join(parts)


def _advice(model: Seen, now: Why) -> Iterator[str]:
    about = (said for said in model.conditions.values() if (said.reason, said.message) == (now.reason, now.message))
    if advice := next((found for said in about if (found := remedy(said))), None):
        yield f"→ {advice}"


def _section(head: str, lines: Iterator[str], paint: Paint) -> list[str]:
    return ["", paint(head, Colour.HEAD), *_indented(lines)]


def _indented(lines: Iterator[str] | list[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _replicas(model: Seen) -> Iterator[str]:
    tiers, aims = model.tiers, model.aims
    if tiers.ready is None:
        yield f"No operator has told of any. {_asked_for(model)}"
        return
    yield f"Taking traffic: {number(tiers.ready)} of {number(tiers.wanted)} wanted; starting: {tiers.starting}."
    yield (
        f"Warm: {tiers.warm} of {aims.warm} wanted; asleep: {tiers.asleep}; draining: {tiers.draining}."
        f" Together they hold {number(model.held)} {model.resource}."
    )
    yield _asked_for(model)
    if model.running is None:
        yield "The load is not known."
    else:
        yield f"Requests running: {model.running}; waiting: {number(model.waiting)}; as of the last status."


def _asked_for(model: Seen) -> str:
    aims = model.aims
    exact = "exactly" if aims.mode == "Off" else "at least"
    return (
        f"The spec asks for {exact} {number(aims.floor)} and at most {number(aims.maximum)};"
        f" scaling.mode is {aims.mode}."
    )


def _decision(account: Account) -> Iterator[str]:
    scaling = part(part(account.model.raw, "status"), "scaling")
    decision = scaling.get("decision")
    if not decision:
        yield "None yet that changed something."
    else:
        at = moment(scaling.get("decisionTime"))
        yield f"{decision}, {ago(at, account.now) if at else 'nobody says when'}: {printable(_explained(scaling))}"
    if (active := account.model.conditions.get("ScalingActive")) and active.message:
        yield f"Now: {printable(active.message)}"
    for one in objects_in(scaling, "capacities"):
        per_second = (number_in(one, "milliRequestsPerSecond") or 0) / 1000
        yield (
            f"Learned: a replica of revision {one.get('revision')} on {one.get('product')} carries"
            f" {_requests(number_in(one, 'concurrency'))} at once and {per_second:.1f} a second"
            f" ({number(number_in(one, 'confidencePercent'))} % sure,"
            f" from {number(number_in(one, 'observedSeconds'))} s under load)."
        )
    stages = [
        f"{one.get('name')} {(number_in(one, 'p50Milliseconds') or 0) / 1000:.0f} s"
        f" (at most {(number_in(one, 'p90Milliseconds') or 0) / 1000:.0f} s in 9 of 10)"
        for one in objects_in(scaling, "stages")
    ]
    if stages:
        yield f"Learned: a start takes {', '.join(stages)}."


def _requests(count: int | None) -> str:
    return "- requests" if count is None else counted(count, "request")


def _explained(scaling: object) -> str:
    explanation = scaling.get("explanation") if isinstance(scaling, dict) else None
    return str(explanation or "its inputs were not kept")


def _conditions(model: Seen, paint: Paint) -> Iterator[str]:
    if not model.conditions:
        yield "None: no operator has looked at this object yet."
    width = max((len(name) for name in model.conditions), default=0)
    now = why(model)
    told = {(now.reason, now.message)}
    for said in model.conditions.values():
        colour = Colour.UNDER_WAY if is_abnormal(said) else None
        known = (said.reason, said.message) in told
        told.add((said.reason, said.message))
        message = "as above" if known else printable(said.message)
        yield f"{said.type:<{width}}  {paint(f'{said.status:<7}', colour)}  {said.reason}: {message}"
        if not known and (advice := remedy(said)):
            yield f"{'':<{width}}           → {advice}"


def _events(account: Account, paint: Paint) -> Iterator[str]:
    if account.happenings is None:
        yield "The events may not be read: ask for the verb list on events."
    elif not account.happenings:
        yield "No event is kept: a cluster forgets them after an hour or so."
    else:
        for one in account.happenings:
            often = f" ({one.count} times)" if one.count > 1 else ""
            reason = paint(one.reason, Colour.UNDER_WAY if one.warning else None)
            yield f"{ago(one.at, account.now):>12}  {reason}: {printable(one.message)}{often}"
