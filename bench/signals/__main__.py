"""`python -m bench.signals`: what it costs to ask a fleet for its load, and how old what is known of it is.

    python -m bench.signals [--replicas 5000] [--seconds 20] [--json FILE]

The fleet is a process of its own on the same machine. The first figures are of a fleet that is busy throughout, the
most that can be asked for; then of one with a fifth of it busy; then of one where one replica in ten hangs and one in
ten answers with what is no load.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.circumstances import when_and_where
from bench.signals.fleet import is_faulty, targets
from stoker.core.scaling.observation import Reading
from stoker.signals.signals import Signals

_MOST_CPU = 1.0
_MOST_P99_AGE_SECONDS = 3.0
_SETTLING_SECONDS = 8.0


@dataclass(frozen=True)
class Fleet:
    name: str
    busy: int  # of a hundred replicas, as the next two
    faulty: int = 0
    hung: int = 0


FLEETS = (Fleet("all busy", 100), Fleet("a fifth busy", 20), Fleet("a fifth faulty", 100, faulty=10, hung=10))


@dataclass(frozen=True)
class Figures:
    name: str
    cpu_seconds_per_second: float
    rss_mb: float
    added_rss_mb: float
    first_look_seconds: float  # until all that can be known is
    p50_age_seconds: float  # of the busy ones that answer
    p99_age_seconds: float
    highest_age_seconds: float
    most_loop_delay_ms: float
    follow_ms: float  # to hand over an unchanged fleet, and to read all of it
    known_share: float  # of those that answer
    wrongly_known: int


def rss_mb() -> float:
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def running(fleet: Fleet) -> Iterator[int]:
    command = [sys.executable, "-m", "bench.signals.fleet", str(fleet.busy), str(fleet.faulty), str(fleet.hung)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101
        yield int(process.stdout.readline())
        process.stdin.close()


async def measure(fleet: Fleet, port: int, replicas: int, seconds: float) -> Figures:
    rss = rss_mb()
    signals, them = Signals(), targets(replicas, port)
    well = [each.uid for index, each in enumerate(them) if not is_faulty(index, fleet.faulty, fleet.hung)]
    ill = {each.uid for each in them} - set(well)
    busy = [uid for uid in well if int(uid[4:]) % 100 < fleet.busy]
    signals.follow(them)
    running = asyncio.create_task(signals.run())
    began = time.monotonic()
    while not all(signals.reading(uid).load for uid in well):
        await asyncio.sleep(0.05)
        if time.monotonic() - began > 60:
            raise SystemExit("the fleet was not seen within 60 s")
    first_look_seconds = time.monotonic() - began
    await asyncio.sleep(_SETTLING_SECONDS)
    ages: list[float] = []
    delays: list[float] = []
    cpu, began, own = time.process_time(), time.monotonic(), 0.0
    while time.monotonic() - began < seconds:
        before = time.monotonic()
        await asyncio.sleep(0.25)
        delays.append(time.monotonic() - before - 0.25)
        spent = time.process_time()
        ages += [signals.reading(uid).age_seconds or 0.0 for uid in busy]
        own += time.process_time() - spent
    cpu, lasted = time.process_time() - cpu - own, time.monotonic() - began
    spent = time.process_time()
    signals.follow(targets(replicas, port))
    readings = {each.uid: signals.reading(each.uid) for each in them}
    follow_ms = 1000 * (time.process_time() - spent)
    known = [readings[uid].reading is Reading.KNOWN for uid in well]
    grown = rss_mb()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    ages.sort()
    return Figures(
        fleet.name,
        cpu / lasted,
        grown,
        grown - rss,
        first_look_seconds,
        ages[len(ages) // 2],
        ages[int(len(ages) * 0.99)],
        ages[-1],
        1000 * max(delays),
        follow_ms,
        sum(known) / len(known),
        sum(readings[uid].reading is Reading.KNOWN for uid in ill),
    )


def _print(found: Figures) -> None:
    cpu = "met" if found.cpu_seconds_per_second <= _MOST_CPU else "MISSED"
    age = "met" if found.p99_age_seconds <= _MOST_P99_AGE_SECONDS else "MISSED"
    print(f"{found.name}")
    print(f"  CPU              {found.cpu_seconds_per_second:8.3f} s/s  at most {_MOST_CPU:g}: {cpu}")
    print(f"  RSS              {found.rss_mb:8.1f} MB   of it by this fleet {found.added_rss_mb:.1f}")
    print(f"  age p50          {found.p50_age_seconds:8.2f} s")
    print(f"  age p99          {found.p99_age_seconds:8.2f} s    at most {_MOST_P99_AGE_SECONDS:g}: {age}")
    print(f"  age, highest     {found.highest_age_seconds:8.2f} s")
    print(f"  first look       {found.first_look_seconds:8.2f} s")
    print(f"  loop delay, most {found.most_loop_delay_ms:8.1f} ms")
    print(f"  follow and read  {found.follow_ms:8.1f} ms")
    print(f"  known            {100 * found.known_share:8.2f} %    wrongly known {found.wrongly_known}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.signals")
    parser.add_argument("--replicas", type=int, default=5000, help="at most 60000")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    about = {
        **when_and_where(),
        "load average": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "load": {"replicas": options.replicas, "seconds": options.seconds},
    }
    print(json.dumps(about), flush=True)
    found = []
    for fleet in FLEETS:
        with running(fleet) as port:
            found.append(asyncio.run(measure(fleet, port, options.replicas, options.seconds)))
        _print(found[-1])
    print(f"load average at the end: {os.getloadavg()[0]:.2f}")
    if options.json:
        options.json.write_text(json.dumps(about | {"figures": [asdict(one) for one in found]}, indent=2) + "\n")


if __name__ == "__main__":
    main()
