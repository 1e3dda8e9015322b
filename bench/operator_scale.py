"""`make bench-operator`: the operator with a large fleet, on a real API server and nodes that exist in the API alone.

    python -m bench.operator_scale [--models 1000] [--replicas 5] [--idle-seconds 60] [--edits 200]

Makes a cluster of its own, the models and their pods; then measures a cold start, an idle fleet, single edits, an edit
of every model at once, and a change of leader. Prints the figures and keeps them under bench/results.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from bench.circumstances import when_and_where
from bench.figures import Figures
from e2e.operator_process import OperatorProcess
from stoker.kube import resources
from stoker.kube.connection import ApiError, Connection, credentials_from
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import Key

CLUSTER = "bench"
NAMESPACE = "fleet"
RESULTS = Path(__file__).parent / "results"
PODS_ON_A_NODE = 50
TARGETS = {  # the most of each, in its own unit
    "cold start": 5.0,
    "resident memory after the start": 200.0,
    "edit to action, p99": 0.5,
    "steady CPU": 10.0,
    "writes while idle": 0.0,
}
# What Stoker writes and nobody else does, by the names that the API server counts under.
_WRITTEN = ("modeldeployments", "services", "poddisruptionbudgets", "networkpolicies", "controllerrevisions")
_WRITING = ("POST", "PUT", "PATCH", "DELETE", "APPLY")


def model(index: int, replicas: int) -> dict[str, Any]:
    return {
        "apiVersion": "stoker.dev/v1alpha1",
        "kind": "ModelDeployment",
        "metadata": {"name": f"model-{index}", "namespace": NAMESPACE},
        "spec": {
            "model": {"source": f"pvc://weights/model-{index}"},
            "engine": {"name": "simulated"},
            "replicas": replicas,
            "scaling": {"maxReplicas": 100, "mode": "Off"},
        },
    }


CONFIGURATION = {
    "engines": [{"name": "simulated", "image": "localhost/stoker/simulated:bench"}],
    "pods": {
        "nodeSelector": {"type": "kwok"},
        "tolerations": [{"key": "kwok.x-k8s.io/node", "operator": "Exists"}],
    },
    "probes": {"port": 0},
}


async def within(seconds: float, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(0.2)


async def in_parallel(works: list[Awaitable[Any]], at_once: int = 16) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one(work: Awaitable[Any]) -> None:
        async with gate:
            await work

    await asyncio.gather(*map(one, works))


class Fleet:
    """The models and what can be seen of them from outside the operator."""

    def __init__(self, connection: Connection, models: int, replicas: int) -> None:
        self.connection = connection
        self.models = models
        self.replicas = replicas
        self.counts: dict[str, int] = {}
        self.changed_at: dict[str, float] = {}
        self._reflector = Reflector(
            connection,
            Scope(resources.REPLICA_SETS, NAMESPACE),
            lambda item: int(item["spec"]["replicas"]),
            self._changed,
        )

    def _changed(self, key: Key, _old: int | None, new: int | None) -> None:
        self.changed_at[key.name.rsplit("-", 1)[0]] = time.monotonic()
        if new is not None:
            self.counts[key.name.rsplit("-", 1)[0]] = new

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._reflector.run())
        await self._reflector.wait_until_synced()
        yield
        task.cancel()

    async def has(self, name: str, count: int) -> bool:
        return self.counts.get(name) == count

    async def prepare(self) -> None:
        await self._make("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": NAMESPACE}})
        claim_spec = {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "weights", "namespace": NAMESPACE}}
        await self._make(
            resources.CLAIMS.collection(NAMESPACE),
            claim | {"spec": claim_spec | {"storageClassName": "", "volumeName": "fleet-weights"}},
        )
        volume = {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadOnlyMany"],
            "hostPath": {"path": "/nowhere"},
            "claimRef": {"namespace": NAMESPACE, "name": "weights"},
        }
        await self._make(
            "/api/v1/persistentvolumes",
            {"kind": "PersistentVolume", "metadata": {"name": "fleet-weights"}, "spec": volume},
        )
        # Or all pods of a small fleet wait for it beyond its start, and get ready in what counts as idle.
        await within(60, "the claim bound", self._is_bound)

    async def _is_bound(self) -> bool:
        claim = await self.connection.get(resources.CLAIMS.path(Key(NAMESPACE, "weights")))
        return bool(claim["status"].get("phase") == "Bound")

    async def _make(self, collection: str, body: dict[str, Any]) -> None:
        try:
            await self.connection.post(collection, {"apiVersion": "v1"} | body)
        except ApiError as there:
            if there.reason != "AlreadyExists":
                raise

    async def create(self) -> None:
        path = resources.MODEL_DEPLOYMENTS.collection(NAMESPACE)
        await in_parallel([self.connection.post(path, model(index, self.replicas)) for index in range(self.models)])

    async def scale(self, index: int, replicas: int) -> None:
        path = resources.MODEL_DEPLOYMENTS.path(Key(NAMESPACE, f"model-{index}"))
        await self.connection.merge_patch(path, {"spec": {"replicas": replicas}})

    async def all_made(self, replicas: int) -> bool:
        """Whether every status counts all of its replicas. Readiness is not asked for: where this machine is slow,
        nodes that exist in the API alone miss a heartbeat, and nobody gives their pods' readiness back."""
        made = 0
        async for item in self.connection.list(resources.MODEL_DEPLOYMENTS.collection(NAMESPACE)):
            made += item.get("status", {}).get("replicas") == replicas
        return made == self.models

    async def is_quiet(self) -> None:
        """What Kubernetes still has to tell of the fleet's start is no matter of an idle fleet."""
        while True:
            before = await self.writes()
            await asyncio.sleep(10)
            if await self.writes() == before:
                return

    async def writes(self) -> float:
        """As the API server counts them, of the kinds that only Stoker writes."""
        total = 0.0
        for line in (await self.connection.text("/metrics")).splitlines():
            if line.startswith("apiserver_request_total{"):
                labels = dict(part.split("=", 1) for part in line[24 : line.rindex("}")].split(",") if "=" in part)
                verb, kind = labels["verb"].strip('"'), labels["resource"].strip('"')
                if verb in _WRITING and kind in _WRITTEN:
                    total += float(line.rsplit(" ", 1)[1])
        return total


async def measure(options: argparse.Namespace) -> None:
    random.seed(options.seed)
    figures = Figures(TARGETS)
    folder = Path(os.environ["STOKER_BENCH_FOLDER"])
    configuration = folder / "configuration.yaml"
    configuration.write_text(yaml.safe_dump(CONFIGURATION))
    async with Connection.open(await credentials_from(Path(os.environ["KUBECONFIG"]))) as connection:
        fleet = Fleet(connection, options.models, options.replicas)
        await fleet.prepare()
        with OperatorProcess(configuration, folder / "first.log") as operator:
            await operator.leads()
            began = time.monotonic()
            await fleet.create()
            figures.add("creating the ModelDeployments", time.monotonic() - began, "s")
            await within(1200, "every model complete", lambda: fleet.all_made(options.replicas))
            figures.add(
                "until every status counts all replicas, Kubernetes' own time included", time.monotonic() - began, "s"
            )
        async with fleet.watched():
            await cold_start(figures, configuration, folder, fleet, options)
    report(figures, options)


async def cold_start(
    figures: Figures, configuration: Path, folder: Path, fleet: Fleet, options: argparse.Namespace
) -> None:
    with OperatorProcess(configuration, folder / "second.log") as operator:
        figures.add("cold start", await operator.caught_up(), "s")
        figures.add("resident memory after the start", operator.resident_mb(), "MB")
        await fleet.is_quiet()
        await idle(figures, operator, fleet, options.idle_seconds)
        await edits(figures, fleet, options)
        await mass_edit(figures, operator, fleet, options)
        figures.add("resident memory at the end, peak", operator.resident_mb(peak=True), "MB")
        with OperatorProcess(configuration, folder / "standby.log") as standby:
            await asyncio.sleep(5)
            figures.add("resident memory of a standby", standby.resident_mb(), "MB")
            began = time.monotonic()
            operator.stop()
            await standby.caught_up()
            figures.add("leader change, released: until the new leader has caught up", time.monotonic() - began, "s")
            with OperatorProcess(configuration, folder / "heir.log") as heir:
                await asyncio.sleep(5)
                began = time.monotonic()
                standby.kill()
                await heir.caught_up()
                figures.add("leader change, killed: until the new leader has caught up", time.monotonic() - began, "s")


async def idle(figures: Figures, operator: OperatorProcess, fleet: Fleet, seconds: float) -> None:
    writes, calls, cpu = await fleet.writes(), await operator.api_calls(), operator.cpu_seconds()
    await asyncio.sleep(seconds)
    figures.add("steady CPU", 100 * (operator.cpu_seconds() - cpu) / seconds, "% of a core")
    figures.add("writes while idle", await fleet.writes() - writes, "writes")
    for verb, count in sorted((await operator.api_calls()).items()):
        figures.add(f"requests while idle, {verb}", (count - calls.get(verb, 0.0)) / seconds * 60, "a minute")


async def edits(figures: Figures, fleet: Fleet, options: argparse.Namespace) -> None:
    """From the API server's answer to the edit to the new count on the ReplicaSet."""
    waits = []
    for index in random.sample(range(options.models), min(options.edits, options.models)):
        name = f"model-{index}"
        await fleet.scale(index, options.replicas + 1)
        edited = time.monotonic()
        await within(30, f"an edit of {name}", lambda: fleet.has(name, options.replicas + 1))  # noqa: B023
        waits.append(fleet.changed_at[name] - edited)
        await asyncio.sleep(0.05)
    figures.add("edit to action, p50", statistics.median(waits), "s")
    figures.add("edit to action, p99", sorted(waits)[int(len(waits) * 0.99)], "s")


async def mass_edit(figures: Figures, operator: OperatorProcess, fleet: Fleet, options: argparse.Namespace) -> None:
    calls, began = await operator.api_calls(), time.monotonic()
    wanted = options.replicas + 2
    await in_parallel([fleet.scale(index, wanted) for index in range(options.models)])
    figures.add("edit of every model at once: until the API server has them", time.monotonic() - began, "s")

    async def done() -> bool:
        return [count == wanted for count in fleet.counts.values()].count(True) == fleet.models

    await within(600, "every model scaled", done)
    figures.add("edit of every model at once: until the last action", time.monotonic() - began, "s")
    await within(1200, "every model complete", lambda: fleet.all_made(wanted))
    for verb, count in sorted((await operator.api_calls()).items()):
        figures.add(f"requests of that edit for each model, {verb}", (count - calls.get(verb, 0.0)) / fleet.models, "")


def report(figures: Figures, options: argparse.Namespace) -> None:
    about = {
        **when_and_where(),
        "versions": {name: version(name) for name in ("stoker", "kopf", "aiohttp", "pydantic")}
        | {"python": platform.python_version()},
        "load": {"models": options.models, "pods": options.models * options.replicas, "seed": options.seed},
    }
    print(json.dumps(about))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"operator-scale-{options.models}.json"
    path.write_text(json.dumps(about | {"figures": figures.kept}, indent=2) + "\n")
    print(f"kept in {path.relative_to(Path.cwd())}")


def in_cluster(arguments: list[str], options: argparse.Namespace) -> int:
    """Starts the cluster and runs the measurement inside its network."""
    cluster = [sys.executable, "-m", "e2e.cluster"]
    nodes = max(1, -(-options.models * (options.replicas + 2) // PODS_ON_A_NODE))
    up = [*cluster, "up", "--name", CLUSTER, "--kwok-nodes", str(nodes), "--kwok-gpus", str(PODS_ON_A_NODE)]
    subprocess.run(up, check=True)
    run = [*cluster, "exec", "--name", CLUSTER, "--"]
    subprocess.run([*run, "kubectl", "apply", "--server-side", "-f", "crds/"], check=True)
    folder = Path.cwd() / "bench" / "scratch"
    folder.mkdir(exist_ok=True)
    environment = os.environ | {"STOKER_BENCH_FOLDER": str(folder)}
    inner = [sys.executable, "-m", "bench.operator_scale", "--inside", *arguments]
    try:
        return subprocess.run([*run, *inner], check=False, env=environment).returncode
    finally:
        if not options.keep:
            subprocess.run([*cluster, "down", "--name", CLUSTER], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.operator_scale")
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=5, help="of each model")
    parser.add_argument("--idle-seconds", type=float, default=60)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the cluster running")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        return in_cluster(sys.argv[1:], options)
    asyncio.run(measure(options))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
