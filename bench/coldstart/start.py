"""One start of the server, from exec to the first completion, with the moment of everything that it says."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.coldstart.image_root import ImageRoot

PORT = 8000
LIMIT_SECONDS = 240.0
POLL_SECONDS = 0.05
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Start:
    said: tuple[tuple[float, str], ...]  # seconds since exec, the line
    healthy_seconds: float
    first_completion_seconds: float
    cpu_seconds: float  # of all its processes, until the first completion


def one_start(root: ImageRoot, arguments: list[str], environment: dict[str, str]) -> Start:
    said: list[tuple[float, str]] = []
    began = time.monotonic()
    server = subprocess.Popen(
        root.command(arguments, environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    reader = threading.Thread(target=_listen, args=(server, began, said), daemon=True)
    reader.start()
    try:
        while not _answers("GET", "/health"):
            if server.poll() is not None or time.monotonic() - began > LIMIT_SECONDS:
                last = "\n".join(line for _, line in said[-15:])
                raise SystemExit(f"bench.coldstart: the server did not become healthy; it said last:\n{last}")
            time.sleep(POLL_SECONDS)
        healthy_seconds = time.monotonic() - began
        body = {"model": "tiny-llama", "prompt": "hello", "max_tokens": 1}
        if not _answers("POST", "/v1/completions", json.dumps(body)):
            raise SystemExit("bench.coldstart: the server is healthy and does not complete a prompt")
        first_completion_seconds = time.monotonic() - began
        cpu_seconds = _cpu_seconds_of_session(server.pid)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    reader.join()
    return Start(tuple(said), healthy_seconds, first_completion_seconds, cpu_seconds)


def _listen(server: subprocess.Popen[str], began: float, said: list[tuple[float, str]]) -> None:
    assert server.stdout is not None  # noqa: S101
    for line in server.stdout:
        said.append((time.monotonic() - began, line.rstrip()))  # noqa: PERF401 - it is read while it grows


def _answers(method: str, path: str, body: str | None = None) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _cpu_seconds_of_session(session: int) -> float:
    """Of the processes that live, with those of their children that have ended."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / CLOCK_TICKS
