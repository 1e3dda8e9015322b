"""The processes that are compared: nothing in front of the engine, the agent's pipe, HAProxy."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.free_ports import free_ports

ROOT = Path(__file__).parents[2]
SEARCH_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_HAPROXY = """
global
    nbthread 1
    maxconn 8000
defaults
    mode http
    option http-no-delay
    http-reuse always
    timeout connect 5s
    timeout client 600s
    timeout server 600s
frontend clients
    bind 127.0.0.1:{port}
    default_backend engine
backend engine
    server engine 127.0.0.1:{engine_port}
"""


@dataclass(frozen=True)
class Contender:
    name: str
    port: int  # where clients connect
    pid: int  # whose cost it is
    control_port: int | None = None  # of one that has such a port


def _environment() -> dict[str, str]:
    paths = [str(ROOT / "runtime-image"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in paths if path)}


@contextmanager
def engine(step_ms: float) -> Iterator[Contender]:
    command = [sys.executable, "-m", "bench.agent.streamer", "--step-ms", str(step_ms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
    with _ended(process):
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise SystemExit("the engine ended before it listened")
        yield Contender("engine alone", int(line), process.pid)


@contextmanager
def agent(engine_port: int) -> Iterator[Contender]:
    """The whole command, beside its engine."""
    port, control_port = free_ports(2)
    ports = ["--serve-port", str(port), "--control-port", str(control_port), "--engine-port", str(engine_port)]
    command = [
        sys.executable,
        "-m",
        "stoker_runtime",
        "agent",
        "--engine",
        "custom",
        *ports,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True, env=_environment())
    with _ended(process):
        _until_listening(process, port)
        yield Contender("agent", port, process.pid, control_port)


def haproxy_path() -> str | None:
    return shutil.which("haproxy", path=SEARCH_PATH)


@contextmanager
def haproxy(program: str, engine_port: int, folder: Path) -> Iterator[Contender]:
    (port,) = free_ports(1)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(_HAPROXY.format(port=port, engine_port=engine_port))
    process = subprocess.Popen([program, "-db", "-q", "-f", str(configuration)], text=True)
    with _ended(process):
        _until_listening(process, port)
        yield Contender("HAProxy", port, process.pid)


def _until_listening(process: subprocess.Popen[str], port: int) -> None:
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait()
