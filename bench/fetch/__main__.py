"""`python -m bench.fetch`: fetching weights, against curl and aria2, from a server on loopback.

    python -m bench.fetch [--large-mib 4096] [--middle 4] [--middle-mib 256] [--rounds 3] [--folder DIR] [--unlimited]

Stoker fetches, digests, syncs and publishes. curl and aria2 only fetch; with sync or sha256sum after them they do more
of the same work. Rounds are interleaved, each in an order of its own, so that a disturbance meets all. On a machine
that does other work, medians tell of that work, and the best rounds, with the CPU that they took, of the programs.
Each runs within the memory that a fetch Job has by default, as it does in a cluster; `--unlimited` lifts that. Where
the disk is slower than the loopback, its speed is what all are measured by: `--folder /dev/shm --unlimited` leaves it
out.
Prints the figures and keeps them under bench/results.
"""

import argparse
import hashlib
import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.fetch.limit import job_memory_bytes, limited
from e2e.cluster import cgroups

RESULTS = Path(__file__).parent.parent / "results"
_RUNTIME = Path(__file__).parents[2] / "runtime-image"
_MOST_RSS_BYTES = 200 << 20
_BLOCK_BYTES = 16 << 20
_MOST_TIMES_AS_LONG = 1.2
Command = Callable[[str, Path], list[str]]


@dataclass(frozen=True)
class Figure:
    """One run."""

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int  # of the largest process


def commands(names: list[str], listing: Path) -> dict[str, Command]:
    """What is compared, each given the server's address and an empty folder."""

    def curl(address: str, into: Path) -> str:
        return " && ".join(f"curl -sf -o {into}/{name} {address}/{name}" for name in names)

    def aria2(address: str, into: Path) -> str:
        urls = " ".join(f"{address}/{name}" for name in names)
        return f"aria2c -q -Z -x 8 -s 8 -k 16M -j 8 --file-allocation=falloc -d {into} {urls}"

    def shell(text: str) -> list[str]:
        return ["sh", "-c", text]

    python = ["env", f"PYTHONPATH={_RUNTIME}", sys.executable, "-m", "bench.fetch.contender"]
    found: dict[str, Command] = {"stoker": lambda address, into: [*python, address, str(listing), str(into)]}
    for name, tool in {"curl": curl, "aria2c": aria2}.items():
        if not shutil.which(name):
            print(f"{name} is not installed, so nothing is compared with it")
            continue
        found[name] = lambda address, into, tool=tool: shell(tool(address, into))  # type: ignore[misc]
        for after in ("sync", "sha256sum"):
            found[f"{name}, then {after}"] = lambda address, into, tool=tool, after=after: shell(  # type: ignore[misc]
                f"{tool(address, into)} && cd {into} && {after} {' '.join(names)} >/dev/null"
            )
    return found


def measured(command: list[str], group: str | None) -> Figure:
    """In a child of its own, whose children's times are then known, and in the group of processes if there is one."""
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        if group:
            cgroups.adopt(group, os.getpid())
        code = subprocess.call(command)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(writing, json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    wall_seconds = time.monotonic() - began
    with os.fdopen(reading, "rb") as told:
        code, cpu_seconds, rss_bytes = json.loads(told.read())
    if code:
        raise SystemExit(f"{command[0]} ended with {code}")
    return Figure(round(wall_seconds, 3), round(cpu_seconds, 3), rss_bytes)


def prepare(folder: Path, options: argparse.Namespace) -> list[dict[str, object]]:
    """Files without holes, and what a source would list of them."""
    sizes = {"large.bin": options.large_mib << 20}
    sizes |= {f"middle-{number}.bin": options.middle_mib << 20 for number in range(options.middle)}
    listing: list[dict[str, object]] = []
    for name, size_bytes in sizes.items():
        digest = hashlib.sha256()
        with (folder / name).open("wb") as content:
            for at in range(0, size_bytes, _BLOCK_BYTES):
                block = os.urandom(min(_BLOCK_BYTES, size_bytes - at))
                content.write(block)
                digest.update(block)
        listing.append({"path": name, "size_bytes": size_bytes, "sha256": digest.hexdigest()})
    return listing


def race(
    contenders: dict[str, Command], served: Path, into: Path, rounds: int, group: str | None
) -> dict[str, list[Figure]]:
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.fetch.server", str(served)], stdout=subprocess.PIPE, text=True
    )
    figures: dict[str, list[Figure]] = {name: [] for name in contenders}
    try:
        assert server.stdout is not None  # noqa: S101
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        for number in range(rounds):
            for name, command in in_turn(contenders, number):
                into.mkdir()
                os.sync()
                figures[name].append(measured(command(address, into), group))
                print(f"round {number + 1}: {name}: {figures[name][-1].wall_seconds:.2f} s", flush=True)
                shutil.rmtree(into)
    finally:
        server.kill()
        server.wait()
    return figures


def in_turn(contenders: dict[str, Command], number: int) -> list[tuple[str, Command]]:
    """Each round in an order of its own: what comes after another finds the machine as that one left it."""
    return random.Random(number).sample(list(contenders.items()), len(contenders))  # noqa: S311


def report(figures: dict[str, list[Figure]], total_bytes: int) -> dict[str, dict[str, float]]:
    median = {name: statistics.median(run.wall_seconds for run in runs) for name, runs in figures.items()}
    best = {name: min(run.wall_seconds for run in runs) for name, runs in figures.items()}
    heads = f"{'wall s':>8}{'GiB/s':>8}{'CPU s':>8}{'RSS MiB':>9}{'stoker is':>11}"
    print(f"{'median of rounds':26}{heads}{'best s':>9}{'CPU s':>8}{'stoker is':>11}")
    kept = {}
    for name, runs in figures.items():
        cpu_seconds = statistics.median(run.cpu_seconds for run in runs)
        rss_bytes = max(run.peak_rss_bytes for run in runs)
        ratio, best_ratio = median["stoker"] / median[name], best["stoker"] / best[name]
        least_cpu_seconds = min(run.cpu_seconds for run in runs)
        print(
            f"{name:26}{median[name]:8.2f}{total_bytes / 2**30 / median[name]:8.2f}{cpu_seconds:8.2f}"
            f"{rss_bytes / 2**20:9.0f}{ratio:10.2f}x{best[name]:9.2f}{least_cpu_seconds:8.2f}{best_ratio:10.2f}x"
        )
        kept[name] = {
            "wall_seconds": median[name],
            "best_wall_seconds": best[name],
            "cpu_seconds": cpu_seconds,
            "peak_rss_bytes": rss_bytes,
            "stoker_takes_times_as_long": round(ratio, 3),
            "of_the_best_rounds": round(best_ratio, 3),
        }
    for name in ("curl", "aria2c", "curl, then sync", "aria2c, then sync"):
        if name in kept:
            ratio = kept[name]["of_the_best_rounds"]
            verdict = "met" if ratio <= _MOST_TIMES_AS_LONG else "MISSED"
            print(f"best rounds, beside {name}: {ratio:.2f}x, at most {_MOST_TIMES_AS_LONG:g}x: {verdict}")
    rss_bytes = max(run.peak_rss_bytes for run in figures["stoker"])
    print(f"memory: at most {_MOST_RSS_BYTES >> 20} MiB, {'met' if rss_bytes <= _MOST_RSS_BYTES else 'MISSED'}")
    return kept


def machine() -> dict[str, str]:
    python = {"cpus": str(os.cpu_count()), "python": platform.python_version(), "kernel": platform.release()}
    python["load at the end"] = f"{os.getloadavg()[0]:.1f}"
    return python | {
        tool: subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        for tool in ("curl", "aria2c", "sha256sum")
        if shutil.which(tool)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large-mib", type=int, default=4096)
    parser.add_argument("--middle", type=int, default=4)
    parser.add_argument("--middle-mib", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: the system's temporary folder")
    parser.add_argument("--unlimited", action="store_true", help="each may use all memory, not as much as a fetch Job")
    options = parser.parse_args()
    limit_bytes = None if options.unlimited else job_memory_bytes()
    with tempfile.TemporaryDirectory(dir=options.folder) as text:
        folder = Path(text)
        served, into = folder / "served", folder / "into"
        served.mkdir()
        listing = prepare(served, options)
        (folder / "listing.json").write_text(json.dumps(listing))
        contenders = commands([str(file["path"]) for file in listing], folder / "listing.json")
        with limited(limit_bytes) if limit_bytes else nullcontext() as group:
            figures = race(contenders, served, into, options.rounds, group)
    total_bytes = (options.large_mib + options.middle * options.middle_mib) << 20
    allowed = f"at most {limit_bytes >> 20} MiB of memory for each" if limit_bytes else "as much memory as each takes"
    print(f"{total_bytes / 2**30:g} GiB, {options.rounds} rounds, {allowed}")
    kept = report(figures, total_bytes)
    RESULTS.mkdir(exist_ok=True)
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "folder": str(options.folder or tempfile.gettempdir()),
        "total_bytes": total_bytes,
        "memory_limit_bytes": limit_bytes,
        "rounds": {name: [asdict(run) for run in runs] for name, runs in figures.items()},
        "medians": kept,
    }
    (RESULTS / "fetch.json").write_text(json.dumps(result, indent=1) + "\n")
    print(", ".join(f"{name} {found}" for name, found in machine().items()))


if __name__ == "__main__":
    main()
