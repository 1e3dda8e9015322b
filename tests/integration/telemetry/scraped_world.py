"""Worlds as Prometheus sees them: one in which all is well, one in which everything is wrong, and one without agents.

The pages are those of the code, the operator's series of models and the agents' own, and those of engines. A real
Prometheus scrapes them once a second, with the rules that the chart installs.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from stoker.core.names import Tier
from stoker.telemetry import catalogue
from stoker.telemetry.devices import Prices
from stoker.telemetry.meter import Meter
from stoker.telemetry.model_series import add_model
from stoker.telemetry.operator_series import OperatorSeries
from stoker.telemetry.page import Page
from stoker.telemetry.rules.rule_file import groups
from stoker.telemetry.scrape import Scrape
from stoker_runtime.agent.engine.counters import Taken
from stoker_runtime.agent.exposition import exposition
from stoker_runtime.readings import Reading
from tests.integration.telemetry.engine_pages import PAGES, after
from tests.unit.telemetry.fleet import (
    GPU,
    H100,
    PRODUCTS,
    agent,
    conditions,
    explanation,
    facts,
    lived,
    replica,
    view,
)  # fmt: skip

WARM_UP_SECONDS = 60.0


class World(Protocol):
    leads: bool
    agents: dict[str, str]  # the model of a pod
    engines: dict[str, str]  # what a pod's page is of
    computed: str  # what has data when rates are known

    def models(self, meter: Meter[str], page: Page) -> None: ...
    def agent(self, second: int) -> bytes: ...


def agent_page(second: int, *, queued: int, ttft_seconds: float) -> bytes:
    """A request and ten tokens each second."""
    made = agent(arrivals=second, output_tokens=10 * second, prompt_tokens=30 * second)
    made.tally.ttft.observe(ttft_seconds, 10 * second)
    made.tally.itl.observe(0.02, 10 * second)
    for outcome in made.tally.ended:
        made.tally.ended[outcome] += second
    made.counters._taken = Taken(Reading(running=3, queued=queued, kv_share=0.4), made.now())
    return exposition(made)


BY_AGENTS = "stoker:model_output_tokens:rate > 0 and stoker:model_ttft_seconds:p95 > 0"


@dataclass
class AllIsWell:
    """With a server that is none of Stoker's, and whose page has the same names."""

    leads = True
    computed = f"{BY_AGENTS} and stoker:engine_itl_seconds:p95 > 0"
    agents: dict[str, str] = field(default_factory=lambda: {"a": "llama", "b": "llama"})
    engines: dict[str, str] = field(default_factory=lambda: dict.fromkeys(("a", "b", "somebody-elses"), "simulated"))

    def models(self, meter: Meter[str], page: Page) -> None:
        pods = (replica("a"), replica("b", Tier.WARM), replica("c", ready=False))
        lived(meter, "llama", pods)
        add_model(page, view("llama", pods, meter, facts("llama"), explanation()), PRODUCTS)
        suspended = conditions(Ready=("False", "Suspended"))
        add_model(page, view("suspended", (), meter, facts("suspended", *suspended)), PRODUCTS)
        fetches = conditions(Ready=("False", "Downloading"), WeightsReady=("False", "Downloading"))
        add_model(page, view("fetches", (), meter, facts("fetches", *fetches)), PRODUCTS)

    def agent(self, second: int) -> bytes:
        return agent_page(second, queued=0, ttft_seconds=0.2)


@dataclass
class WithoutAgents:
    """One model of each engine, of its name, with one replica."""

    leads = True
    computed = f"count(stoker:engine_output_tokens:rate > 0) == {len(PAGES)}"
    agents: dict[str, str] = field(default_factory=dict)
    engines: dict[str, str] = field(default_factory=lambda: {f"{engine}-0": engine for engine in PAGES})

    def models(self, meter: Meter[str], page: Page) -> None:
        for pod, engine in self.engines.items():
            pods = (replica(pod),)
            lived(meter, engine, pods)
            add_model(page, view(engine, pods, meter, facts(engine), explanation()), PRODUCTS)

    def agent(self, second: int) -> bytes:
        raise AssertionError(f"no agent has a page at second {second}")


@dataclass
class EverythingIsWrong:
    leads = False
    computed = BY_AGENTS
    agents: dict[str, str] = field(default_factory=lambda: {"a": "slow"})
    engines: dict[str, str] = field(default_factory=dict)

    def models(self, meter: Meter[str], page: Page) -> None:
        wrong = {
            "not-ready": conditions(Ready=("False", "Starting")),
            "new": conditions(Ready=("Unknown", "WaitingForOperator")),
            "rolling": conditions(Progressing=("True", "RollingOut")),
            "crashing": conditions(Degraded=("True", "OutOfGPUMemory")),
            "too-large": conditions(FitsGPU=("False", "DoesNotFit")),
            "limited": conditions(ScalingLimited=("True", "NoCapacityLeft")),
            "unplaced": conditions(Scheduled=("False", "Unschedulable")),
            "unfetched": conditions(WeightsReady=("False", "SourceUnauthorized")),
        }
        for name, stated in wrong.items():
            add_model(page, view(name, (), meter, facts(name, *stated)), PRODUCTS)
        blind = explanation(known=0, unknown=2)
        add_model(page, view("blind", (replica("x"),), meter, facts("blind"), blind), PRODUCTS)
        add_model(page, view("slow", (replica("a"),), meter, facts("slow"), explanation()), PRODUCTS)

    def agent(self, second: int) -> bytes:
        return agent_page(second, queued=60, ttft_seconds=9.0)


class Pages:
    """Time goes by a second a scrape."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.operator = OperatorSeries("1.0.0")
        self.scrape = Scrape(self.operator.registry)
        self.scrape.page = self._page
        self._meter: Meter[str] = Meter(Prices({H100: 2.0}))
        self._second = 1
        if world.leads:
            self.operator.leads()

    async def _page(self) -> Page:
        page = Page()
        self.world.models(self._meter, page)
        page.add(catalogue.QUEUE_DEPTH, 0)
        page.add(catalogue.MODELS, 3)
        page.add(catalogue.WATCH_SILENCE, 20.0, "pods")
        page.add(catalogue.WATCH_OBJECTS, 600, "pods")
        page.add(catalogue.ACCELERATORS, 16, GPU, H100)
        page.add(catalogue.HOURLY_PRICE, 2.0, H100)
        return page

    def text(self, path: str) -> bytes:
        whose, _, pod = path.removeprefix("/").partition("/")
        if whose == "agent":
            return self.world.agent(self._second)
        if whose == "engine":
            return after(self._second, PAGES[self.world.engines[pod]])
        self._second += 1
        with self.operator.looking():
            self.operator.called("PATCH", 200, 0.01)
        return asyncio.run(self.scrape.text())


@contextmanager
def served(world: World) -> Iterator[int]:
    pages, lock = Pages(world), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                body = pages.text(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def _configuration(world: World, port: int) -> dict[str, Any]:
    here = f"127.0.0.1:{port}"
    agents = [
        {
            "job_name": f"agent-{pod}",
            "metrics_path": f"/agent/{pod}",
            "static_configs": [{"targets": [here], "labels": {"namespace": "models", "pod": pod, "model": model}}],
        }
        for pod, model in world.agents.items()
    ]
    engines = [
        {
            "job_name": f"engine-{pod}",
            "metrics_path": f"/engine/{pod}",
            "static_configs": [{"targets": [here], "labels": {"namespace": "models", "pod": pod}}],
        }
        for pod in world.engines
    ]
    operator = {
        "job_name": "operator",
        "metrics_path": "/operator",
        "honor_labels": True,
        "static_configs": [{"targets": [here], "labels": {"namespace": "stoker-system", "pod": "stoker-operator-0"}}],
    }
    every_second = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    return {"global": every_second, "rule_files": ["rules.json"], "scrape_configs": [operator, *agents, *engines]}


class Prometheus:
    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The samples of now. A wrong expression is an error of HTTP."""
        with urlopen(f"{self._url}/api/v1/query?{urlencode({'query': expression})}", timeout=10) as answer:  # noqa: S310
            found = json.load(answer)["data"]["result"]
        return [sample for sample in found if sample["value"][1] != "NaN"]

    def wait_for(self, expression: str) -> None:
        until = time.monotonic() + WARM_UP_SECONDS
        while True:
            try:
                if self.ask(expression):
                    return
            except (URLError, OSError):
                pass  # it is not there yet
            if time.monotonic() > until:
                pytest.fail(f"{expression} had no data within {WARM_UP_SECONDS:.0f} s")
            time.sleep(0.2)


@contextmanager
def prometheus_of(world: World, folder: Path) -> Iterator[Prometheus]:
    """With a minute of data for what asks for rates."""
    if shutil.which("prometheus") is None:
        pytest.skip("Prometheus is not installed (apt-get install prometheus)")
    rules = groups()
    for group in rules["groups"]:
        group["interval"] = "1s"
    (folder / "rules.json").write_text(json.dumps(rules))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
    command = ["prometheus", f"--config.file={folder}/prometheus.json", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with served(world) as page_port, (folder / "log").open("w") as log:
        (folder / "prometheus.json").write_text(json.dumps(_configuration(world, page_port)))
        with subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                prometheus = Prometheus(f"http://127.0.0.1:{port}")
                prometheus.wait_for(world.computed)
                prometheus.wait_for("sum(rate(stoker_look_seconds_count[5m])) > 0")
                yield prometheus
            finally:
                process.terminate()
