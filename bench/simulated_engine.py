"""The simulated engine on its own: how small it is, how fast it starts, whether thousands of streams keep its pace.

    python -m bench.simulated_engine [--streams 2000] [--tokens 100] [--base-ms 50]

Prints the figures and keeps them under bench/results.
"""

import argparse
import asyncio
import http.client
import json
import os
import platform
import resource
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.circumstances import when_and_where
from bench.figures import Figures
from stoker_runtime.simulated.timing import PROFILES

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
TARGETS = {  # the most of each, in its own unit
    "start, from exec to ready": 1.0,
    "resident memory, idle": 60.0,
    "resident memory with all streams running": 60.0,
}
STARTS = 5


class Engine:
    """A process of its own, as in a pod."""

    def __init__(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "stoker_runtime", "simulated", "--served-model-name", "m", "--port", "0"]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "runtime-image")}
        began = time.monotonic()
        self._process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, env=environment)
        self.port = int(self._line().rsplit(" ", 1)[1])
        self._line()
        self.start_seconds = time.monotonic() - began

    def _line(self) -> str:
        if self._process.stdout is None or not (line := self._process.stdout.readline()):
            raise SystemExit("the engine ended before it was ready")
        return line.strip()

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        body = connection.getresponse().read()
        connection.close()
        return body

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)


class Stream(asyncio.Protocol):
    """Counts chunks and does nothing else, so that the client is not what is measured."""

    def __init__(self, tokens: int) -> None:
        body = json.dumps(
            {
                "messages": [{"role": "user", "content": "x" * 400}],
                "stream": True,
                "max_tokens": tokens,
                "ignore_eos": True,
            }
        ).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
        self._request = f"{head}content-type: application/json\r\nconnection: close\r\n\r\n".encode() + body
        self.chunks = 0
        self.gaps: list[float] = []
        self._last = 0.0
        self.first = asyncio.Event()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        chunks = data.count(b"data: {")
        if not chunks:
            return
        now = time.monotonic()
        if self.chunks:
            self.gaps.append(now - self._last)
        else:
            self.first.set()
        self._last = now
        self.chunks += chunks

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        if not self.done.done():
            self.done.set_result(None)


def starts(figures: Figures) -> None:
    seconds = []
    for _ in range(STARTS):
        engine = Engine([])
        seconds.append(engine.start_seconds)
        idle = engine.resident_mb()
        engine.stop()
    figures.add("start, from exec to ready", statistics.median(seconds), "s")
    figures.add("resident memory, idle", idle, "MB")


async def streams(figures: Figures, engine: Engine, count: int, tokens: int) -> None:
    loop = asyncio.get_running_loop()
    cpu, began = engine.cpu_seconds(), time.monotonic()
    made = []
    for _ in range(count):
        _, stream = await loop.create_connection(lambda: Stream(tokens), "127.0.0.1", engine.port)
        made.append(stream)
    for stream in made:
        await stream.first.wait()
    figures.add("until every stream has its first token", time.monotonic() - began, "s")
    await asyncio.sleep(2)
    figures.add("resident memory with all streams running", engine.resident_mb(), "MB")
    health = [await loop.run_in_executor(None, _timed_health, engine) for _ in range(50)]
    figures.add("/health while all streams run, worst of 50", max(health), "s")
    await asyncio.gather(*(stream.done for stream in made))
    seconds = time.monotonic() - began
    whole = sum(stream.chunks >= tokens for stream in made)
    chunks = sum(stream.chunks for stream in made)
    figures.add("streams that came whole", whole, "streams")
    figures.add("chunks", chunks / seconds, "1/s")
    figures.add("CPU of the engine, per chunk", 1e6 * (engine.cpu_seconds() - cpu) / chunks, "us")
    gaps = [gap for stream in made for gap in stream.gaps]
    figures.add("between tokens, median", 1000 * statistics.median(gaps), "ms")


def _timed_health(engine: Engine) -> float:
    began = time.monotonic()
    engine.get("/health")
    return time.monotonic() - began


def expected_gap_ms(options: argparse.Namespace) -> float:
    cached = options.streams * (104 + options.tokens / 2)
    cost = PROFILES["h100"].cost
    seconds = cost.seconds(0, options.streams, int(cached)) - cost.base_seconds
    return float(options.base_ms) + 1000 * seconds


def report(figures: Figures, options: argparse.Namespace) -> None:
    about = {
        **when_and_where(),
        "versions": {"python": platform.python_version()},
        "load": {"streams": options.streams, "tokens": options.tokens, "base_ms": options.base_ms},
    }
    print(json.dumps(about))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"simulated-engine-{options.streams}.json"
    path.write_text(json.dumps(about | {"figures": figures.kept}, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the simulated engine.")
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--base-ms", type=float, default=50.0, help="of the engine's step, as --decode-base-ms")
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    figures = Figures(TARGETS)
    starts(figures)
    size = ["--max-concurrency", str(options.streams), "--kv-tokens", str(options.streams * (200 + options.tokens))]
    engine = Engine([*size, "--decode-base-ms", str(options.base_ms)])
    asyncio.run(streams(figures, engine, options.streams, options.tokens))
    figures.add("between tokens, by the timing model", expected_gap_ms(options), "ms")
    figures.add("resident memory afterwards", engine.resident_mb(), "MB")
    engine.stop()
    report(figures, options)


if __name__ == "__main__":
    main()
