"""`make bench-live`: the spike of 2, 12 and again 2 requests a second on a real one-node cluster, through the Service.

    python -m bench.live [--warm 0] [--trace FILE] [--start-seconds 30] [--most 8] [--json FILE]
    python -m bench.live --foretold [--warm 0] [--seeds 5]      what the simulator makes of the same, in seconds

Each replica answers eight streams at once, of about 2.5 s each. Every request is counted by its client. The replicas
are counted each second by what the API server has, starting and draining ones included, and each stands for one GPU.
"""

import argparse
import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from statistics import mean
from typing import Any

import yaml

from bench.circumstances import when_and_where
from bench.live.foretold import STEP_SECONDS, STREAMS, Circumstances, foretold
from bench.live.trace import spike, write
from e2e.cluster.layout import DNS_DOMAIN
from e2e.images.build import build as build_image
from e2e.operator.streams import with_agent
from e2e.operator_process import OperatorProcess
from stoker.core.scaling.tuning import DEFAULT
from stoker.kube import resources
from stoker.kube.connection import Connection, credentials_from
from stoker.sim.setup import Way

CLUSTER = "bench-live"
NAMESPACE = "default"
NAME = "web"
TOKENS = 100
TARGETS = {0: 70.0, 1: 75.0}  # percent inside the objective, by warm replicas
MOST_GPU_SECONDS = 1800.0
DOWN_DELAY_SECONDS = 60  # twice the start


def manifest(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "apiVersion": "stoker.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "spec": {
            "model": {"source": "pvc://weights/tiny"},
            "engine": {
                "name": "simulated",
                "maxConcurrency": STREAMS,
                "args": ["--decode-base-ms", f"{1000 * STEP_SECONDS:g}", "--start-seconds", str(options.start_seconds)],
            },
            "accelerator": {"count": 0},
            "replicas": 1,
            "drain": {"graceSeconds": 60},
            "scaling": {
                "maxReplicas": options.most,
                "warmReplicas": options.warm,
                "scaleDownDelaySeconds": options.down_delay,
            },
        },
    }


async def tiers(connection: Connection) -> Counter[str]:
    """Pods by tier, and those that are not ready as starting."""
    found: Counter[str] = Counter()
    query = {"labelSelector": f"stoker.dev/model={NAME}"}
    async for pod in connection.list(resources.PODS.collection(NAMESPACE), query):
        conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions") or ()}
        tier = pod["metadata"]["labels"].get("stoker.dev/tier", "")
        leaving = "deletionTimestamp" in pod["metadata"] or tier == "draining"
        ready = conditions.get("Ready") == "True"
        found["draining" if leaving else tier if ready else "starting"] += 1
    return found


@dataclass
class Sampled:
    seconds: Counter[str] = field(default_factory=Counter)  # of replicas, by tier
    changes: list[dict[str, int]] = field(default_factory=list)  # what there was, each time that it was something else


async def sampled(connection: Connection, until_done: asyncio.Event) -> Sampled:
    result = Sampled()
    began = before = time.monotonic()
    while not until_done.is_set():
        await asyncio.sleep(1.0)
        found, now = await tiers(connection), time.monotonic()
        for tier, count in found.items():
            result.seconds[tier] += count * (now - before)  # type: ignore[assignment]
        if not result.changes or {**result.changes[-1], "at": 0} != {"at": 0, **found}:
            result.changes.append({"at": round(now - began), **dict(sorted(found.items()))})
        before = now
    return result


async def measure(options: argparse.Namespace) -> int:
    folder = Path(os.environ["STOKER_BENCH_FOLDER"])
    trace = options.trace or write(spike(options.seed, TOKENS), folder / "spike.csv")
    configuration = folder / "live.yaml"
    engines = with_agent(os.environ["STOKER_BENCH_IMAGE"])
    # As the chart has it: with a key, who leaves traffic tells clients with kept connections to go elsewhere.
    (folder / "agent-key").write_text(secrets.token_hex(32))
    agent = {"keyFile": str(folder / "agent-key")}
    configuration.write_text(yaml.safe_dump({"probes": {"port": 0}, "engines": engines, "agent": agent}))
    async with Connection.open(await credentials_from(Path(os.environ["KUBECONFIG"]))) as connection:
        await _prepare(connection)
        with OperatorProcess(configuration, folder / "live.log") as operator:
            await operator.leads()
            await connection.post(resources.MODEL_DEPLOYMENTS.collection(NAMESPACE), manifest(options))
            await _until(connection, {"serving": 1, "warm": options.warm})
            await asyncio.sleep(3)
            done = asyncio.Event()
            counting = asyncio.create_task(sampled(connection, done))
            clients = await _driven(trace, options)
            done.set()
            return report(clients, await counting, options)


async def only_clients(options: argparse.Namespace) -> int:
    """Against a model that runs somewhere already."""
    with tempfile.TemporaryDirectory() as folder:
        trace = options.trace or write(spike(options.seed, TOKENS), Path(folder) / "spike.csv")
        print(json.dumps(await _driven(trace, options), indent=2))
    return 0


async def _prepare(connection: Connection) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "weights", "namespace": NAMESPACE},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }
    await connection.post(resources.CLAIMS.collection(NAMESPACE), claim)


async def _until(connection: Connection, wanted: dict[str, int]) -> None:
    async with asyncio.timeout(300):
        while True:
            found = await tiers(connection)
            if all(found[tier] >= count for tier, count in wanted.items()):
                return
            await asyncio.sleep(1)


async def _driven(trace: Path, options: argparse.Namespace) -> dict[str, Any]:
    url = options.url or f"http://{NAME}.{NAMESPACE}.svc.{DNS_DOMAIN}/v1"
    command = [
        sys.executable,
        "-m",
        "e2e.load",
        url,
        "--model",
        options.model,
        "--trace",
        str(trace),
        "--objective",
        "2.0",
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    answer, _ = await process.communicate()
    counted: dict[str, Any] = json.loads(answer)
    return counted


def report(clients: dict[str, Any], replicas: Sampled, options: argparse.Namespace) -> int:
    figures = {
        **when_and_where(),
        "load average": round(os.getloadavg()[0], 1),
        "niceness": os.nice(0),
        "seed": options.seed,
        "warm": options.warm,
        "start seconds": options.start_seconds,
        "clients": clients,
        "GPU-seconds by tier": {tier: round(seconds) for tier, seconds in sorted(replicas.seconds.items())},
        "GPU-seconds": round(sum(replicas.seconds.values())),
        "down delay seconds": options.down_delay,
        "replicas": replicas.changes,
    }
    print(json.dumps({**figures, "replicas": None}, indent=2))
    for change in replicas.changes:
        print(f"{change['at']:>4} s:", ", ".join(f"{count} {tier}" for tier, count in change.items() if tier != "at"))
    if options.trace is None and options.warm in TARGETS:
        share, least = clients["inside_objective_percent"], TARGETS[options.warm]
        spent = sum(replicas.seconds.values())
        print(f"{share:.1f} % inside 2 s (target: at least {least:g}, {'met' if share >= least else 'MISSED'})")
        print(f"{spent:.0f} GPU-seconds (target: at most {MOST_GPU_SECONDS:g},", end=" ")
        print(f"{'met' if spent <= MOST_GPU_SECONDS else 'MISSED'})")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


def only_told(options: argparse.Namespace) -> int:
    tuning = replace(DEFAULT, aside_times=inf) if options.nobody_aside else DEFAULT
    results = []
    for seed in range(options.seed, options.seed + options.seeds):
        told = Circumstances(
            options.warm,
            options.most,
            options.start_seconds,
            options.down_delay,
            seed,
            tuning,
            options.reading_seconds,
            inf if options.nobody_lets_go else Way().lets_go_seconds,
        )
        results.append(result := foretold(spike(seed, TOKENS), told))
        spent = ", ".join(f"{tier} {3600 * hours:.0f}" for tier, hours in result.gpu_hours_by_tier.items() if hours)
        print(
            f"seed {seed}: {100 * result.share:.1f} % inside 2 s, {3600 * result.gpu_hours:.0f} GPU-seconds ({spent}),"
            f" {result.abandoned} timed out, {result.cut} cut, p95 {result.ttft_p95_seconds:.1f} s"
        )
        steps = [f"{one.at_seconds:.0f} s {one.ready} of {one.target}" for one in result.moments]
        print(f"  ready of ordered: {', '.join(steps)}")
    share, hours = (mean(getattr(each, name) for each in results) for name in ("share", "gpu_hours"))
    print(f"mean of {len(results)} seeds: {100 * share:.1f} % inside 2 s, {3600 * hours:.0f} GPU-seconds")
    return 0


def in_cluster(arguments: list[str]) -> int:
    """Starts the cluster and runs the measurement inside its network."""
    cluster = [sys.executable, "-m", "e2e.cluster"]
    subprocess.run([*cluster, "up", "--name", CLUSTER], check=True)
    run = [*cluster, "exec", "--name", CLUSTER, "--"]
    try:
        subprocess.run([*run, "kubectl", "apply", "--server-side", "-f", "crds/"], check=True)
        image = build_image("simulated").reference
        subprocess.run([*cluster, "load-image", "--name", CLUSTER, "simulated"], check=True)
        folder = Path.cwd() / "bench" / "scratch"
        folder.mkdir(exist_ok=True)
        environment = os.environ | {"STOKER_BENCH_FOLDER": str(folder), "STOKER_BENCH_IMAGE": image}
        inner = [sys.executable, "-m", "bench.live", "--inside", *arguments]
        return subprocess.run([*run, *inner], check=False, env=environment).returncode
    finally:
        subprocess.run([*cluster, "down", "--name", CLUSTER], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.live")
    parser.add_argument("--warm", type=int, default=0)
    parser.add_argument("--most", type=int, default=8)
    parser.add_argument("--start-seconds", type=float, default=30.0)
    parser.add_argument("--down-delay", type=int, default=DOWN_DELAY_SECONDS, help="spec.scaling.scaleDownDelaySeconds")
    parser.add_argument("--trace", type=Path, help="arrival_s,prompt_tokens,output_tokens instead of the spike")
    parser.add_argument("--url", help="a model that runs already, such as http://llama.models/v1; nothing is started")
    parser.add_argument("--model", default=NAME, help="its served name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--foretold", action="store_true", help="simulate it")
    parser.add_argument("--nobody-aside", action="store_true", help="simulate it without replicas that stand aside")
    parser.add_argument(
        "--reading-seconds", type=float, default=0.2, help="age of what a simulated decision is made of"
    )
    parser.add_argument("--nobody-lets-go", action="store_true", help="simulate agents that keep every connection")
    parser.add_argument("--seeds", type=int, default=5, help="that are simulated, from --seed on")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.foretold:
        return only_told(options)
    if options.inside:
        return asyncio.run(measure(options))
    return asyncio.run(only_clients(options)) if options.url else in_cluster(sys.argv[1:])


if __name__ == "__main__":
    raise SystemExit(main())
