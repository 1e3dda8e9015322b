"""Loads by a Prometheus that answers, answers in part, answers wrongly, or not at all."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from stoker.core.scaling.observation import Load, Reading
from stoker.signals.prometheus.asking import Access, Threads
from stoker.signals.prometheus.queries import Labels
from stoker.signals.prometheus.source import PrometheusSettings, PrometheusSource
from stoker.signals.sighting import Sighting
from tests.unit.signals.patience import until
from tests.unit.signals.prometheus_stand_in import NOW, POD, engine, secret, source_of, stand_in, target


def sighting(source: PrometheusSource, uid: str = "a", now_seconds: float = 500.0) -> Sighting:
    found = source.record(uid)
    assert found is not None
    return found.sighting(now_seconds)


def load(source: PrometheusSource, uid: str = "a") -> Load:
    found = sighting(source, uid).load
    assert found is not None
    return found


def why(source: PrometheusSource, uid: str = "a") -> str:
    found = source.record(uid)
    assert found is not None
    return found.why


async def test_a_load_is_as_old_as_its_scrape_whatever_the_clocks_show() -> None:
    with stand_in(figures=engine(kv_cache_usage_perc=0.5, generation_tokens_total=70)) as there:
        source = source_of(there)
        await source.look()
    assert sighting(source) == Sighting(Reading.KNOWN, load(source), 4.0)
    assert (load(source).at_seconds, load(source).in_flight, load(source).waiting) == (496.0, 7, 2)
    assert (load(source).kv_share, load(source).output_tokens) == (0.5, 70)
    assert source.why is None


async def test_the_whole_fleet_is_one_query_for_each_figure_at_one_instant() -> None:
    names = [f"pod-{index}" for index in range(50)]
    pods = dict.fromkeys((("ns", name) for name in names), 1)
    figures = {"vllm:num_requests_running": pods, "vllm:num_requests_waiting": pods}
    with stand_in(figures=figures, scraped=dict.fromkeys(pods, 3.0)) as there:
        source = source_of(there, *map(target, names))
        await source.look()
    assert all(load(source, name).in_flight == 2 for name in names)
    assert len(there.asked) < 20
    assert there.paths == {"/api/v1/query"}
    assert {asked.get("time") for asked in there.asked[1:]} == {f"{NOW:.3f}"}


async def test_an_agents_counts_come_before_those_of_its_engine() -> None:
    agent = {"in_flight": 9, "waiting": 4, "arrivals_total": 1000, "requests_total": 991}
    figures = engine() | {f"stoker_replica_{name}": {POD: value} for name, value in agent.items()}
    with stand_in(figures=figures) as there:
        source = source_of(there)
        await source.look()
        there.figures["stoker_replica_arrivals_total"] = {POD: 1012}
        there.scraped = {POD: 1.0}
        await source.look()
    assert (load(source).in_flight, load(source).waiting, load(source).arrivals) == (9, 4, 12)


async def test_an_empty_answer_is_unknown_and_never_zero() -> None:
    with stand_in(scraped={}) as there:
        source = source_of(there)
        await source.look()
    assert sighting(source) == Sighting(Reading.UNKNOWN, None, None)
    assert why(source) == "Prometheus has no metrics of it."


@pytest.mark.parametrize("lacking", ["vllm:num_requests_running", "vllm:num_requests_waiting"])
async def test_half_of_a_load_is_unknown(lacking: str) -> None:
    figures = engine()
    del figures[lacking]
    with stand_in(figures=figures) as there:
        source = source_of(there)
        await source.look()
    assert sighting(source).reading is Reading.UNKNOWN
    assert "does not say how many requests are" in why(source)


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "five"])
async def test_what_is_no_count_is_unknown(value: str) -> None:
    with stand_in(figures=engine(queued=value)) as there:
        source = source_of(there)
        await source.look()
    assert sighting(source).reading is Reading.UNKNOWN
    assert source.why


async def test_a_share_beyond_one_is_not_taken() -> None:
    with stand_in(figures=engine(kv_cache_usage_perc=32)) as there:
        source = source_of(there)
        await source.look()
    assert (load(source).in_flight, load(source).kv_share) == (7, None)


async def test_a_pod_whose_page_is_waited_for_in_vain_is_saturated() -> None:
    with stand_in(figures=engine(), late={POD}) as there:
        source = source_of(there)
        await source.look()
        there.scraped = {}
        await source.look()
    assert sighting(source).reading is Reading.SATURATED
    assert load(source).in_flight == 7


async def test_the_same_scrape_again_is_no_new_look() -> None:
    with stand_in(figures=engine()) as there:
        source = source_of(there)
        await source.look()
        first = load(source)
        there.now, there.scraped = NOW + 5, {POD: 9.0}
        await source.look()
    assert load(source) is first


async def test_an_older_scrape_by_another_prometheus_takes_nothing_back() -> None:
    with stand_in(figures=engine(time_to_first_token_seconds_count=50)) as there:
        source = source_of(there)
        await source.look()
        first = load(source)
        there.figures, there.scraped = engine(time_to_first_token_seconds_count=40), {POD: 14.0}
        await source.look()
    assert load(source) is first


async def test_a_sample_from_the_future_is_of_now_and_grows_old_all_the_same() -> None:
    with stand_in(figures=engine(), scraped={POD: -3600.0}) as there:
        source = source_of(there)
        await source.look()
        assert load(source).at_seconds == 500.0
        await source.look()
    assert sighting(source, now_seconds=591.0).reading is Reading.EXPIRED


async def test_warnings_are_told_and_make_the_answer_partial() -> None:
    with stand_in(figures=engine(), warnings=["a store did not answer"]) as there:
        source = source_of(there)
        await source.look()
        assert source.why == "Prometheus' answer is partial: a store did not answer"
        assert sighting(source).reading is Reading.KNOWN
        there.warnings, there.scraped = [], {POD: 1.0}
        await source.look()
        assert source.why is None


async def test_a_figure_that_is_lost_once_is_neither_zero_nor_a_new_start() -> None:
    figures = engine(generation_tokens_total=70)
    with stand_in(figures=figures) as there:
        source = source_of(there)
        await source.look()
        first = load(source)
        there.answers = lambda query: (503, b"{}") if "generation_tokens_total" in query else None
        there.scraped = {POD: 1.0}
        await source.look()
    assert source.why
    assert (load(source).output_tokens, load(source).boot) == (70, first.boot)
    assert load(source).at_seconds == 499.0


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"internal"),
        (401, b"who are you"),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'["warnings"]'),
        (200, b'{"warnings":3}'),
        (200, b'{"status":"success"}'),
        (200, b'{"status":"success","data":{"result":"3"}}'),
        (200, b'{"status":"success","data":{"resultType":"scalar","result":{}}}'),
        (200, b"[" * 100_000),
        (307, b""),
    ],
)
async def test_a_prometheus_that_answers_wrongly_leaves_the_last_loads_to_grow_old(status: int, body: bytes) -> None:
    with stand_in(figures=engine()) as there:
        source = source_of(there)
        await source.look()
        first = load(source)
        there.answers = lambda _: (status, body)
        await source.look()
    assert source.why is not None
    assert source.why.startswith("Prometheus cannot be used: ")
    assert "\n" not in source.why
    assert sighting(source) == Sighting(Reading.KNOWN, first, 4.0)
    assert sighting(source, now_seconds=587.0).reading is Reading.EXPIRED


@pytest.mark.parametrize("sample", [None, [], {"metric": {}}, {"metric": {"namespace": "ns", "pod": "b"}, "value": 3}])
async def test_one_torn_sample_harms_no_other(sample: Any) -> None:
    def with_torn(query: str) -> tuple[int, bytes] | None:
        if "num_requests_running{" not in query or "(timestamp(" in query:
            return None
        whole = {"metric": {"namespace": "ns", "pod": "a"}, "value": [NOW, "5"]}
        return 200, json.dumps({"status": "success", "data": {"result": [sample, whole]}}).encode()

    with stand_in(figures=engine(), answers=with_torn) as there:
        source = source_of(there)
        await source.look()
    assert load(source).in_flight == 7
    assert source.why


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://127.0.0.1:1", "Connection refused"),
        ("http://[", "its address http://[ is none"),
        ("127.0.0.1:9090", "No host specified"),
    ],
)
async def test_nobody_there_is_said_so(url: str, complaint: str) -> None:
    source = PrometheusSource(PrometheusSettings(Access(url)))
    source.follow([target()])
    await source.look()
    assert source.why is not None
    assert complaint in source.why


async def test_a_prometheus_that_is_slow_does_not_hold_up_the_loop() -> None:
    with stand_in(figures=engine(), after_seconds=0.8) as there:
        source = source_of(there, timeout_seconds=0.5)
        looking = asyncio.create_task(source.look())
        turns = 0
        while not looking.done():
            await asyncio.sleep(0.01)
            turns += 1
        assert turns > 10
        assert source.why is not None
        there.after_seconds = 0.0
        await source.look()
    assert sighting(source).reading is Reading.KNOWN


async def test_work_that_hangs_is_left_behind_but_not_for_ever_more() -> None:
    threads, release = Threads(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang() -> None:
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

    for _ in range(4):
        with pytest.raises(TimeoutError):
            await threads.run(hang, 0.05)
    assert len(threads._threads) == Threads.MOST_LEFT_BEHIND
    release.set()
    await asyncio.sleep(0.1)
    assert await threads.run(lambda: 7, 1.0) == 7


async def test_an_answer_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoker.signals.prometheus.asking.MOST_ANSWER_BYTES", 10_000)
    with stand_in(answers=lambda _: (200, b" " * 20_000)) as there:
        source = source_of(there)
        await source.look()
    assert source.why == "Prometheus cannot be used: the answer has more than 10000 bytes."


async def test_a_token_is_read_anew_each_time(tmp_path: Path) -> None:
    token = secret(tmp_path / "token", "first\n")
    with stand_in(figures=engine()) as there:
        source = source_of(there, bearer_token_file=token)
        await source.look()
        secret(token, "second\n")
        await source.look()
    given = [headers["Authorization"] for headers in there.headers]
    assert (given[0], given[-1]) == ("Bearer first", "Bearer second")


async def test_a_user_and_a_password_are_given(tmp_path: Path) -> None:
    with stand_in(figures=engine()) as there:
        source = source_of(there, username="stoker", password_file=secret(tmp_path / "password", "pa:ss"))
        await source.look()
    assert there.headers[0]["Authorization"] == "Basic " + base64.b64encode(b"stoker:pa:ss").decode()


@pytest.mark.parametrize("text", [None, "", "two\nlines"])
async def test_credentials_that_cannot_be_used_are_named_and_not_shown(tmp_path: Path, text: str | None) -> None:
    token = tmp_path / "token"
    if text is not None:
        secret(token, text)
    with stand_in(figures=engine()) as there:
        source = source_of(there, bearer_token_file=token)
        await source.look()
    assert source.why is not None
    assert str(token) in source.why
    assert "two" not in source.why.replace(str(token), "")
    assert not there.asked


async def test_an_authority_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    source = PrometheusSource(PrometheusSettings(Access("https://127.0.0.1:1", ca_file=tmp_path / "ca.crt")))
    source.follow([target()])
    await source.look()
    assert source.why is not None
    assert "ca.crt" in source.why


async def test_a_pod_is_found_by_the_labels_that_it_is_given() -> None:
    sample = {"metric": {"ns_name": "ns", "pod_name": "a"}, "value": [NOW, "3"]}
    answer = json.dumps({"status": "success", "data": {"result": [sample]}}).encode()
    labels = Labels(namespace="ns_name", pod="pod_name", equal={"cluster": 'we"st'})
    with stand_in(answers=lambda _: (200, answer)) as there:
        source = source_of(there, labels=labels)
        await source.look()
    assert load(source).in_flight == 3
    assert 'cluster="we\\"st"' in there.asked[1]["query"]


async def test_who_is_not_followed_any_more_is_forgotten() -> None:
    with stand_in(figures=engine()) as there:
        source = source_of(there)
        await source.look()
        source.follow([])
        assert source.record("a") is None


async def test_rounds_go_on_after_an_outage() -> None:
    with stand_in(figures=engine(), answers=lambda _: (503, b"")) as there:
        source = source_of(there, interval_seconds=0.1)
        running = asyncio.create_task(source.run())
        await until(lambda: source.why is not None)
        there.answers = lambda _: None
        await until(lambda: source.why is None)
        running.cancel()
    assert sighting(source).reading is Reading.KNOWN
