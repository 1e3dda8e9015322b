"""The agent's metrics in Prometheus' text format: the same names for every engine, and no label of a request."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from stoker_runtime.agent.gate import GateState
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.tally import Histogram

PREFIX = "stoker_replica_"
# Name: its type, and what it says.
FAMILIES = {
    "in_flight": ("gauge", "Requests whose head has come and whose answer has not ended."),
    "waiting": ("gauge", "Requests in flight of whose answer no byte has come."),
    "arrivals_total": ("counter", "Requests that were let in."),
    "requests_total": ("counter", "Requests that ended, by how: rejected is 4xx, engine_failed 5xx or cut."),
    "ttft_seconds": ("histogram", "From a request's head to the first piece of its answer."),
    "itl_seconds": ("histogram", "Between two pieces of a streamed answer."),
    "output_tokens_total": ("counter", "Tokens of answers."),
    "output_tokens_exact": ("gauge", "1 where answers say how many tokens they had, 0 where their pieces are counted."),
    "prompt_tokens_total": ("counter", "Tokens of prompts, where answers say how many they were."),
    "engine_running": ("gauge", "Requests that the engine computes, by its own account."),
    "engine_waiting": ("gauge", "Requests that the engine has queued, by its own account."),
    "engine_kv_cache_share": ("gauge", "Share of the engine's KV cache in use, from 0 to 1."),
    "startup_seconds": ("gauge", "How long each stage of the last start-up took; ready is all of it."),
    "asleep": ("gauge", "1 where the engine sleeps, or may sleep."),
    "gate": ("gauge", "1 for the state that the gate is in."),
}


def exposition(replica: Replica) -> bytes:
    """What is unknown has no sample."""
    tally = replica.tally
    reading = replica.counters.fresh()
    samples: dict[str, Iterable[str]] = {
        "in_flight": _one(tally.in_flight),
        "waiting": _one(tally.waiting),
        "arrivals_total": _one(tally.arrivals),
        "requests_total": _by("outcome", tally.ended),
        "ttft_seconds": _histogram("ttft_seconds", tally.ttft),
        "itl_seconds": _histogram("itl_seconds", tally.itl),
        "output_tokens_total": _one(tally.output_tokens),
        "output_tokens_exact": _one(tally.counted == "usage"),
        "prompt_tokens_total": _one(tally.prompt_tokens),
        "engine_running": _one(reading.running if reading else None),
        "engine_waiting": _one(reading.queued if reading else None),
        "engine_kv_cache_share": _one(reading.kv_share if reading else None),
        "startup_seconds": _by(
            "phase", {stage: round(seconds, 3) for stage, seconds in list(replica.start_up.stage_seconds.items())}
        ),
        "asleep": _one(replica.sleeper.is_asleep),
        "gate": _by("state", {state: state is replica.gate.state for state in GateState}),
    }
    lines: list[str] = []
    for name, (kind, text) in FAMILIES.items():
        full = PREFIX + name
        lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
        lines += [full + sample if sample[0] in " {" else sample for sample in samples[name]]
    return ("\n".join(lines) + "\n").encode()


def _one(value: float | None) -> list[str]:
    return [] if value is None or not math.isfinite(value) else [f" {_number(value)}"]


def _by(label: str, values: Mapping[Any, float]) -> list[str]:
    return [f'{{{label}="{name}"}} {_number(value)}' for name, value in values.items()]


def _histogram(name: str, histogram: Histogram) -> list[str]:
    full = PREFIX + name
    lines = []
    total = 0
    for bound, count in zip((*histogram.bounds, "+Inf"), list(histogram.counts), strict=True):
        total += count
        lines.append(f'{full}_bucket{{le="{bound}"}} {total}')
    # The pipe may count while this runs: the buckets and the count must agree all the same.
    return [*lines, f"{full}_sum {_number(histogram.sum_seconds)}", f"{full}_count {total}"]


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, bool) else repr(value)
