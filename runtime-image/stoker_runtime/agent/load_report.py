"""The answer to GET /load: what the operator decides by, in some 300 bytes with stable keys."""

import json

from stoker_runtime.agent.replica import Replica, whole
from stoker_runtime.agent.tally import Outcome

VERSION = 1
_ENCODER = json.JSONEncoder(separators=(",", ":"))


def load_report(replica: Replica) -> bytes:
    """Unknown is null, and never 0."""
    tally = replica.tally
    reading = replica.counters.fresh()
    engine_age = replica.counters.age_seconds()
    kv_share = reading.kv_share if reading else None
    return _ENCODER.encode(
        {
            "v": VERSION,
            "boot": replica.boot,
            "pod": replica.pod,
            "age_s": round(replica.age_seconds, 1),
            "phase": replica.start_up.phase,
            "gate": replica.gate.state,
            "asleep": replica.sleeper.is_asleep,
            "in_flight": tally.in_flight,
            "waiting": tally.waiting,
            "running": whole(reading.running) if reading else None,
            "queued": whole(reading.queued) if reading else None,
            "kv": None if kv_share is None else round(kv_share, 4),
            "preemptions": whole(reading.preemptions) if reading else None,
            "arrivals": tally.arrivals,
            "finished": tally.ended[Outcome.FINISHED],
            "failed": tally.ended[Outcome.ENGINE_FAILED],
            "refused": tally.ended[Outcome.REFUSED],
            "prompt_tokens": tally.prompt_tokens,
            "output_tokens": tally.output_tokens,
            "counted": tally.counted,
            "ttft": [tally.ttft.count, round(tally.ttft.sum_seconds, 3)],
            "itl": [tally.itl.count, round(tally.itl.sum_seconds, 3)],
            "engine_age_s": None if engine_age is None else round(engine_age, 1),
        },
    ).encode()
