"""What would change a model's number of replicas, in plain sentences. Only what the object tells is used."""

from collections.abc import Iterator

from stoker.cli.fleet.seen import Json, Seen, number_in, objects_in, part
from stoker.core.counted import counted, verb

_LOAD_UNKNOWN = ("LoadUnknown", "LoadSaturated", "NoReadyReplica")


def prospects(model: Seen) -> Iterator[str]:
    if model.aims.suspended:
        patch = '{"spec":{"suspend":false}}'
        yield (
            f"Nothing but you: spec.suspend is true. `kubectl patch {_address(model)} --type=merge -p '{patch}'`"
            " ends that."
        )
        return
    if model.aims.mode == "Off":
        yield (
            "Nothing but an order: scaling.mode is Off, so spec.replicas is the exact number."
            f" `kubectl scale {_address(model)} --replicas=N` changes it."
        )
        return
    if model.aims.mode == "Observe":
        yield (
            "Nothing but an order: scaling.mode is Observe, so decisions are recorded and spec.replicas serve."
            " Set spec.scaling.mode to Auto to have them carried out."
        )
        return
    if model.tiers.wanted is None:
        yield "An operator that looks at it: none has so far."
        return
    yield from _up(model)
    yield from _down(model)


def _up(model: Seen) -> Iterator[str]:
    wanted, maximum = model.tiers.wanted, model.aims.maximum
    if wanted is None:
        return
    if maximum is not None and wanted >= maximum:
        yield f"No load adds a replica: scaling.maxReplicas is {maximum}. Raise it to let more come."
        return
    capacity = _capacity(model)
    if capacity is None:
        yield "How much load adds a replica is not known yet: it is learned under load."
    else:
        at_once, per_second, percent = capacity
        yield (
            f"More than about {counted(wanted * at_once, 'request')} at once, or {wanted * per_second:.1f} a second,"
            " add one:"
            f" a replica carries {at_once} at once and {per_second:.1f} a second inside the objective"
            f" ({percent} % sure)."
        )
    if model.tiers.warm:
        which = verb(model.tiers.warm, "the warm one", f"one of the {model.tiers.warm} warm ones")
        yield f"The next replica is {which}, within seconds."
    elif (seconds := _start_seconds(model)) is not None:
        yield f"The next replica starts cold, which takes about {seconds:.0f} s; scaling.warmReplicas keeps one loaded."


def _down(model: Seen) -> Iterator[str]:
    wanted, floor = model.tiers.wanted, model.aims.floor
    if wanted is None or floor is None:
        return
    active = model.conditions.get("ScalingActive")
    if active and active.reason in _LOAD_UNKNOWN:
        yield "No replica is removed while not every one tells its load in time."
        return
    scaling = part(part(model.raw, "spec"), "scaling")
    if wanted <= floor:
        idle = number_in(scaling, "idleSeconds")
        if floor == 0 and wanted == 0:
            yield f"At zero, an order wakes it: `kubectl scale {_address(model)} --replicas=1`, or a schedule."
        else:
            yield f"None is removed: spec.replicas wants at least {floor}."
        if floor == 0 and wanted > 0 and idle is not None:
            yield f"The last one goes after {idle} s without a request."
        return
    delay = number_in(scaling, "scaleDownDelaySeconds")
    patience = f"{delay} s at the least" if delay is not None else "a while"
    scheduled = ", unless a schedule asks for more" if objects_in(scaling, "schedule") else ""
    yield (
        f"One is removed when {wanted - 1} would have carried the load for {patience},"
        f" and never below {floor} (spec.replicas){scheduled}."
    )


def _capacity(model: Seen) -> tuple[int, float, int] | None:
    """Requests at once, requests a second and confidence of one replica of what runs now."""
    status = part(model.raw, "status")
    current = status.get("currentRevision")
    learned = [
        (number_in(one, "confidencePercent") or 0, one)
        for one in objects_in(part(status, "scaling"), "capacities")
        if one.get("revision") == current and number_in(one, "concurrency")
    ]
    if not learned:
        return None
    percent, best = max(learned, key=lambda found: found[0])
    return number_in(best, "concurrency") or 0, (number_in(best, "milliRequestsPerSecond") or 0) / 1000, percent


def _start_seconds(model: Seen) -> float | None:
    stages: tuple[Json, ...] = objects_in(part(part(model.raw, "status"), "scaling"), "stages")
    times = [number_in(stage, "p50Milliseconds") for stage in stages]
    return sum(time for time in times if time is not None) / 1000 if times else None


def _address(model: Seen) -> str:
    return f"mdep/{model.name} --namespace {model.namespace}"
