"""A Prometheus over real HTTP that knows as much PromQL as its script."""

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from stoker.signals.prometheus.asking import Access
from stoker.signals.prometheus.source import PrometheusSettings, PrometheusSource
from stoker.signals.target import Source, Target
from tests.beside import answering

NOW = 1_900_000_000.0
"""By its clock, which is years ahead of everybody else's."""
POD = ("ns", "a")


@dataclass
class StandIn:
    scraped: dict[tuple[str, str], float] = field(default_factory=lambda: {POD: 4.0})
    """How many seconds ago each pod was scraped."""
    late: set[tuple[str, str]] = field(default_factory=set)
    figures: dict[str, dict[tuple[str, str], Any]] = field(default_factory=dict)
    """What queries for a name give for each pod."""
    warnings: list[str] = field(default_factory=list)
    now: float = NOW
    answers: Callable[[str], tuple[int, bytes] | None] = lambda _: None
    """Instead of all that."""
    after_seconds: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    url: str = ""

    def answer(self, query: str) -> tuple[int, bytes]:
        instead = self.answers(query)
        if instead is not None:
            return instead
        result = [
            {"metric": {"namespace": namespace, "pod": pod}, "value": [self.now, str(value)]}
            for (namespace, pod), value in self._values(query).items()
        ]
        said: dict[str, Any] = {"status": "success", "data": {"resultType": "vector", "result": result}}
        if self.warnings:
            said["warnings"] = self.warnings
        return 200, json.dumps(said).encode()

    def _values(self, query: str) -> dict[tuple[str, str], Any]:
        if "scrape_duration_seconds" in query:
            return dict.fromkeys(self.late, 10)
        if "(timestamp(" in query:
            return {pod: self.now - age for pod, age in self.scraped.items()}
        return next((values for name, values in self.figures.items() if f"{name}{{" in query), {})


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one segment, or each answer waits for an acknowledgement

        def do_POST(self) -> None:
            stand_in.paths.add(self.path)
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(text).items()}
            stand_in.asked.append(asked)
            stand_in.headers.append(dict(self.headers.items()))
            time.sleep(stand_in.after_seconds)
            status, body = stand_in.answer(asked["query"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 307:
                self.send_header("Location", "http://127.0.0.2:1/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is its own."""

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the script."""


@contextmanager
def stand_in(tls: ssl.SSLContext | None = None, **script: Any) -> Iterator[StandIn]:
    there = StandIn(**script)
    with _Server(("127.0.0.1", 0), _handler(there)) as server:
        there.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        with answering(server):
            yield there


def target(name: str = "a", **fields: Any) -> Target:
    usual: dict[str, Any] = {"uid": name, "namespace": "ns", "pod": name, "model": "ns/m", "ip": "", "port": 8000}
    return Target(**usual | {"source": Source.PROMETHEUS, "engine": "vllm"} | fields)


def source_of(there: StandIn, *targets: Target, **settings: Any) -> PrometheusSource:
    access = {
        key: settings.pop(key)
        for key in ("bearer_token_file", "username", "password_file", "ca_file")
        if key in settings
    }
    source = PrometheusSource(PrometheusSettings(Access(there.url, **access), **settings), now=lambda: 500.0)
    source.follow(targets or [target()])
    return source


def engine(running: Any = 5, queued: Any = 2, **more: Any) -> dict[str, dict[tuple[str, str], Any]]:
    """The figures of one vLLM."""
    named = {"vllm:num_requests_running": running, "vllm:num_requests_waiting": queued} | {
        f"vllm:{name}": value for name, value in more.items()
    }
    return {name: {POD: value} for name, value in named.items()}


def secret(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
