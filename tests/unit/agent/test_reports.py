"""/load and /metrics: what is said of a replica, and what is left unsaid."""

import json
import re
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from stoker_runtime.agent.engine.counters import EngineCounters, Taken
from stoker_runtime.agent.exposition import exposition
from stoker_runtime.agent.load_report import load_report
from stoker_runtime.agent.options import Options
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.running import replica_of
from stoker_runtime.agent.startup import Stage
from stoker_runtime.agent.tally import Outcome, Usage
from stoker_runtime.readings import Reading

KEYS = (
    "v boot pod age_s phase gate asleep in_flight waiting running queued kv preemptions arrivals finished failed "
    "refused prompt_tokens output_tokens counted ttft itl engine_age_s"
)


def replica(**changes: object) -> Replica:
    made = replica_of(Options("vllm", ("x",)))
    return replace(made, **changes) if changes else made  # type: ignore[arg-type]


async def no_page() -> bytes | None:
    return None


def with_reading(reading: Reading, age_seconds: float) -> Replica:
    counters = EngineCounters("vllm", no_page, lambda: 100.0)
    counters._taken = Taken(reading, 100.0 - age_seconds)
    return replica(counters=counters)


def samples(of: Replica) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(exposition(of).decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


async def test_the_report_has_its_keys_and_about_300_bytes() -> None:
    text = load_report(with_reading(Reading(12, 3, 0.81234, 4, 1, 2), 0.5))
    assert " ".join(json.loads(text)) == KEYS
    assert len(text) < 360


async def test_a_fresh_reading_of_the_engine_is_in_it() -> None:
    load = json.loads(load_report(with_reading(Reading(running=12, queued=3, kv_share=0.81234), 0.5)))
    assert (load["running"], load["queued"], load["kv"], load["preemptions"]) == (12, 3, 0.8123, None)
    assert load["engine_age_s"] == 0.5


async def test_what_the_engine_said_long_ago_is_unknown_and_not_zero() -> None:
    load = json.loads(load_report(with_reading(Reading(running=12, queued=0, kv_share=0.5), 60)))
    assert (load["running"], load["queued"], load["kv"], load["engine_age_s"]) == (None, None, None, 60)
    assert load["prompt_tokens"] is None


async def test_each_start_has_another_boot() -> None:
    first, second = (json.loads(load_report(replica()))["boot"] for _ in range(2))
    assert first != second
    assert re.fullmatch("[0-9a-f]{8}", first)


async def test_counts_are_those_of_the_pipe() -> None:
    made = replica()
    tally = made.tally
    for _ in range(3):
        tally.begin()
    tally.answering()
    tally.add_usage(Usage(7, 9))
    tally.end(Outcome.FINISHED, answered=True)
    tally.refused()
    tally.ttft.observe(0.03)
    tally.itl.observe(0.05, 8)
    load = json.loads(load_report(made))
    assert (load["in_flight"], load["waiting"], load["arrivals"], load["finished"], load["refused"]) == (2, 2, 3, 1, 1)
    assert (load["ttft"], load["itl"], load["counted"]) == ([1, 0.03], [8, 0.4], "usage")
    found = samples(made)
    assert found["stoker_replica_in_flight"] == 2
    assert found["stoker_replica_requests_total{outcome=finished}"] == 1
    assert found["stoker_replica_ttft_seconds_bucket{le=0.04}"] == 1
    assert found["stoker_replica_ttft_seconds_bucket{le=0.02}"] == 0
    assert found["stoker_replica_itl_seconds_count"] == found["stoker_replica_itl_seconds_bucket{le=+Inf}"] == 8
    assert found["stoker_replica_prompt_tokens_total"] == 7
    assert found["stoker_replica_output_tokens_total"] == 9


async def test_what_is_unknown_has_no_sample() -> None:
    found = samples(replica())
    assert not any(name.startswith("stoker_replica_engine_") for name in found)
    assert "stoker_replica_prompt_tokens_total" not in found
    assert found["stoker_replica_gate{state=open}"] == 1
    assert found["stoker_replica_gate{state=refusing}"] == 0
    assert found["stoker_replica_asleep"] == 0


async def test_stages_of_the_start_up_are_metrics() -> None:
    made = replica()
    made.start_up.stage_seconds[Stage.WEIGHTS] = 12.5
    assert samples(made)["stoker_replica_startup_seconds{phase=weights}"] == 12.5


async def test_every_metric_is_explained_once() -> None:
    text = exposition(replica()).decode()
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert names == re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE)
    assert len(set(names)) == len(names) == 15
