"""What the probes and Prometheus are told."""

import aiohttp

from stoker.handlers.health import Health, serve_health
from stoker.telemetry.operator_series import OperatorSeries
from stoker.telemetry.scrape import Scrape


async def test_metrics_are_told_beside_health_and_in_prometheus_own_format() -> None:
    scrape = Scrape(OperatorSeries("1.2.3").registry)
    async with serve_health(Health("standing by"), 0, scrape.text) as port, aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
            assert answer.status == 200
            assert answer.content_type == "text/plain"
            assert "stoker_leader 0.0" in await answer.text()
        async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
