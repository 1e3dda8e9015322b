"""The queries, answered by a real Prometheus that scrapes a page twice."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from stoker.core.scaling.observation import Reading
from stoker.signals.prometheus.asking import Access
from stoker.signals.prometheus.source import PrometheusSettings, PrometheusSource
from tests.beside import answering
from tests.real_prometheus import prometheus_with
from tests.unit.signals.patience import until
from tests.unit.signals.prometheus_stand_in import target

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed (apt-get install prometheus)"
)

# Two engines in one pod, which belong together.
VLLM = b"""vllm:num_requests_running{engine="0",model_name="m"} 5
vllm:num_requests_running{engine="1",model_name="m"} 4
vllm:num_requests_waiting{engine="0",model_name="m"} 2
vllm:num_requests_waiting{engine="1",model_name="m"} 0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:generation_tokens_total{engine="0",model_name="m"} 70
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 9
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 1.5
"""
AGENT = b"""stoker_replica_in_flight 6
stoker_replica_waiting 1
stoker_replica_arrivals_total 40
stoker_replica_requests_total{outcome="finished"} 34
stoker_replica_requests_total{outcome="rejected"} 500
stoker_replica_asleep 0
"""


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = AGENT if "agent" in self.path else VLLM
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is its own."""


@contextmanager
def pages() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server, answering(server):
        yield server.server_port


def configuration(port: int) -> dict[str, Any]:
    """The page of pod a twice, as by two jobs; that of pod b once; pod gone does not listen."""
    jobs = [
        ("one", "a", port, "/metrics"),
        ("other", "a", port, "/metrics"),
        ("agents", "b", port, "/agent"),
        ("gone", "gone", 1, "/metrics"),
    ]
    scrapes = [
        {
            "job_name": job,
            "metrics_path": path,
            "static_configs": [
                {"targets": [f"127.0.0.1:{where}"], "labels": {"namespace": "ns", "pod": pod, "extra": job}}
            ],
        }
        for job, pod, where, path in jobs
    ]
    return {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": scrapes}


def is_ready(url: str) -> bool:
    try:
        with urlopen(f"{url}/-/ready", timeout=1) as answer:  # noqa: S310 - of loopback
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


async def test_a_real_prometheus_gives_each_page_once(tmp_path: Path) -> None:
    with pages() as page_port, prometheus_with(configuration(page_port), tmp_path) as url:
        source = PrometheusSource(PrometheusSettings(Access(url)))
        source.follow([target("a"), target("b"), target("gone"), target("never")])
        await until(lambda: is_ready(url), 60)
        async with asyncio.timeout(60):
            while not all(found and found.load for found in map(source.record, "ab")):
                await source.look()
                assert source.why is None, source.why
                await asyncio.sleep(0.2)
    a, b = (found.load for found in map(source.record, "ab") if found)
    assert a is not None
    assert b is not None
    assert (a.running, a.queued, a.in_flight, a.kv_share) == (9, 2, 11, 0.75)
    assert (a.output_tokens, a.ttft_count, a.ttft_sum_seconds) == (70, 9, 1.5)
    assert (b.in_flight, b.waiting, b.asleep) == (6, 1, False)
    for uid in ("gone", "never"):
        found = source.record(uid)
        assert found is not None
        assert found.sighting(0.0).reading is Reading.UNKNOWN
