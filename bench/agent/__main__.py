"""`python -m bench.agent`: what the agent costs, beside the engine alone and HAProxy in front of it.

    python -m bench.agent [--rounds 3] [--streams 1000] [--seconds 10] [--step-ms 100] [--apart] [--first] [--json FILE]

The engine is a process that only streams. uvloop is used where it is installed. On few cores clients, engine and what
stands in front of it wait for each other; `--apart` gives what is measured a core of its own, as on a node whose load
comes from elsewhere, and `--first` lets it and who asks its control port in before all others, as on a node with cores
to spare. The control port is asked beside all streams, and so is a trivial server in the same place, whose own time is
what the machine takes. Whoever is measured is so once in each round, and the goals are held against the middle round.
"""

import argparse
import asyncio
import importlib.util
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.agent.contenders import Contender, agent, engine, haproxy, haproxy_path
from bench.agent.control import Asked, asked
from bench.agent.cores import Cores, cores
from bench.agent.load import Counter, first_bytes_seconds, open_streams
from bench.circumstances import when_and_where
from stoker_runtime.agent.event_loop import new_event_loop

_TTFT_REQUESTS = 300


@dataclass(frozen=True)
class Figures:
    name: str
    chunks_per_second: float
    cpu_microseconds_per_chunk: float  # of its own process
    core_percent: float  # of one core, which its process took
    ttft_p50_ms: float  # of single requests, nothing else running
    ttft_p99_ms: float
    ttft_under_load_p50_ms: float  # of single requests beside all streams
    rss_mb: float
    streams_cut: int
    control: Asked | None = None  # its control port's answers, beside all streams
    trivial: Asked | None = None  # those of a server on the same core that does nothing else


@dataclass(frozen=True)
class Goal:
    name: str
    most: float
    value: Callable[[Figures, Figures], float]  # of the engine alone and of the agent in front of it


GOALS = (
    Goal("CPU per chunk, us", 30.0, lambda _, ours: ours.cpu_microseconds_per_chunk),
    Goal("added TTFT p50, ms", 1.0, lambda alone, ours: ours.ttft_p50_ms - alone.ttft_p50_ms),
    Goal("RSS, MB", 40.0, lambda _, ours: ours.rss_mb),
    Goal("control p99, ms", 1.0, lambda _, ours: ours.control.p99_ms if ours.control else math.inf),
)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


async def measure(contender: Contender, trivial: Contender, place: Cores, streams: int, seconds: float) -> Figures:
    alone = await first_bytes_seconds(contender.port, _TTFT_REQUESTS, 0.002)
    counter = Counter()
    opened = await open_streams(contender.port, streams, counter)
    await asyncio.sleep(1)
    began, cpu, chunks = time.monotonic(), _cpu_seconds(contender.pid), counter.chunks
    probes = asyncio.ensure_future(first_bytes_seconds(contender.port, max(1, int(seconds / 0.05)), 0.037))
    await asyncio.sleep(seconds)
    cpu, chunks = _cpu_seconds(contender.pid) - cpu, counter.chunks - chunks
    lasted, rss = time.monotonic() - began, _rss_mb(contender.pid)
    under_load = await probes
    control = await asked(contender.control_port, place) if contender.control_port else None
    beside = await asked(trivial.port, place) if control else None
    cut = counter.cut
    for stream in opened:
        stream.transport.abort()
    await asyncio.sleep(0.5)
    return Figures(
        contender.name,
        chunks / lasted,
        1e6 * cpu / max(1, chunks),
        100 * cpu / lasted,
        1000 * statistics.median(alone),
        1000 * statistics.quantiles(alone, n=100)[98],
        1000 * statistics.median(under_load),
        rss,
        cut,
        control,
        beside,
    )


def _print_round(found: list[Figures]) -> None:
    heads = f"{'chunks/s':>10}{'CPU us/chunk':>14}{'core %':>8}"
    print(f"{'':14}{heads}{'TTFT p50 ms':>13}{'p99':>8}{'under load p50':>16}{'RSS MB':>8}")
    for one in found:
        print(
            f"{one.name:14}{one.chunks_per_second:10.0f}{one.cpu_microseconds_per_chunk:14.1f}{one.core_percent:8.0f}"
            f"{one.ttft_p50_ms:13.3f}"
            f"{one.ttft_p99_ms:8.2f}{one.ttft_under_load_p50_ms:16.2f}{one.rss_mb:8.1f}"
            f"{f'   {one.streams_cut} streams cut' if one.streams_cut else ''}"
        )
    ours = found[1]
    for name, asked_of in (("control port", ours.control), ("trivial server", ours.trivial)):
        if asked_of:
            print(f"{name}, ms: p50 {asked_of.p50_ms:.2f}, p99 {asked_of.p99_ms:.2f}, most {asked_of.most_ms:.2f}")


def _print_goals(rounds: list[list[Figures]]) -> None:
    for goal in GOALS:
        values = sorted(goal.value(found[0], found[1]) for found in rounds)
        middle = statistics.median(values)
        verdict = "met" if middle <= goal.most else "MISSED"
        print(f"{goal.name:20}{middle:8.2f} ({values[0]:.2f} to {values[-1]:.2f})   at most {goal.most:g}: {verdict}")


def _about(options: argparse.Namespace, program: str | None) -> dict[str, object]:
    version = "absent"
    if program is not None:
        version = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout.split("\n")[0]
    return {
        **when_and_where(),
        "load average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "event loop": "uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        "haproxy": version,
        "load": {
            "rounds": options.rounds,
            "streams": options.streams,
            "seconds": options.seconds,
            "step_ms": options.step_ms,
            "apart": options.apart,
            "first": options.first,
        },
    }


def _race(stack: ExitStack, place: Cores, program: str | None, options: argparse.Namespace) -> list[list[Figures]]:
    alone = stack.enter_context(engine(options.step_ms))
    trivial = stack.enter_context(engine(options.step_ms))
    contenders = [stack.enter_context(agent(alone.port))]
    if program is None:
        print("haproxy is not installed: left out (apt-get install haproxy)")
    else:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contenders.append(stack.enter_context(haproxy(program, alone.port, folder)))
    for one in (trivial, *contenders):
        place.give_its_own(one.pid)
    place.let_in(trivial.pid)
    rounds = []
    for _ in range(options.rounds):
        found = []
        for contender in (alone, *contenders):
            with asyncio.Runner(loop_factory=new_event_loop) as runner:
                found.append(runner.run(measure(contender, trivial, place, options.streams, options.seconds)))
        _print_round(found)
        rounds.append(found)
    return rounds


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the agent.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=1000, help="at most 7000")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--step-ms", type=float, default=100.0, help="between two chunks of a stream")
    parser.add_argument("--apart", action="store_true", help="what is measured on a core of its own (two at least)")
    parser.add_argument("--first", action="store_true", help="what is measured is let in before others (root)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    program = haproxy_path()
    about = _about(options, program)
    print(json.dumps(about), flush=True)
    with ExitStack() as stack:
        place = stack.enter_context(cores(apart=options.apart, first=options.first))
        rounds = _race(stack, place, program, options)
    _print_goals(rounds)
    if options.json:
        options.json.write_text(
            json.dumps(about | {"rounds": [[asdict(one) for one in found] for found in rounds]}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
