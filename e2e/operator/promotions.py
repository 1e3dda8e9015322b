"""`python -m e2e.operator.promotions`: promotes and demotes a replica again and again, and prints for each time the
seconds from the write of spec.replicas until its label, until the Service's slices have it, and until it has served a
request that came through the Service; and whether it was at rest before.

Runs in the cluster's network.
"""

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from stoker.kube import resources
from stoker.kube.connection import Connection, credentials_from
from stoker.kube.resources import Key, Resource

SLICES = Resource("discovery.k8s.io", "v1", "endpointslices")
LONGEST_SECONDS = 60.0
ASK = {"model": "web", "prompt": "a", "max_tokens": 1}


class Model:
    def __init__(self, connection: Connection, session: aiohttp.ClientSession, options: argparse.Namespace) -> None:
        self._connection, self._session = connection, session
        self._key = Key(options.namespace, "web")
        self._url, self._fewer, self._tier = options.url, options.fewer, options.tier
        self._serving: dict[str, float] = {}  # when it began to, by name and by address, as watches tell

    async def scaled(self, replicas: int) -> None:
        await self._connection.merge_patch(
            resources.MODEL_DEPLOYMENTS.path(self._key), {"spec": {"replicas": replicas}}
        )

    async def waiting(self) -> tuple[str, str]:
        """Name and address of the replica that is off traffic, once there is one and what serves is settled."""
        query = {"labelSelector": "stoker.dev/model=web"}
        async with asyncio.timeout(LONGEST_SECONDS):
            while True:
                pods = [pod async for pod in self._connection.list(self._pods(), query)]
                tiers = [pod["metadata"]["labels"]["stoker.dev/tier"] for pod in pods]
                if tiers.count("serving") == self._fewer and tiers.count(self._tier) == 1:
                    found = pods[tiers.index(self._tier)]
                    return found["metadata"]["name"], found["status"]["podIP"]
                await asyncio.sleep(0.05)

    async def asleep(self, ip: str) -> None:
        async with asyncio.timeout(LONGEST_SECONDS):
            while not (load := await self._load(ip))["asleep"] or load["gate"] != "refusing":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            await asyncio.sleep(2)  # until it sleeps, and not only falls asleep

    async def promoted(self, name: str, ip: str) -> dict[str, float]:
        """Until it has served one more request than before."""
        before = await self._load(ip)
        self._serving.clear()
        began = time.monotonic()
        await self.scaled(self._fewer + 1)
        async with asyncio.timeout(LONGEST_SECONDS):
            while (await self._load(ip))["finished"] == before["finished"]:
                async with self._session.post(f"{self._url}/completions", json=ASK) as answer:
                    assert answer.status == 200, await answer.text()
            served = time.monotonic()
            while not {name, ip} <= self._serving.keys():  # noqa: ASYNC110 - a watch may lag behind
                await asyncio.sleep(0.05)
        labelled, routed = (self._serving[each] - began for each in (name, ip))
        return {
            "rested": before["gate"] == "open",
            "labelled": labelled,
            "routed": routed,
            "served": served - began,
        }

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Notes when a replica is labelled, and when the Service's slices have its address."""
        of = self._key
        tasks = [
            asyncio.create_task(self._watch(path.collection(of.namespace), f"{label}={of.name}", found))
            for path, label, found in (
                (resources.PODS, "stoker.dev/model", _labelled),
                (SLICES, "kubernetes.io/service-name", _routed),
            )
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _watch(self, path: str, selector: str, found: Callable[[Any], Iterable[str]]) -> None:
        query = {"watch": "true", "labelSelector": selector}
        async with self._connection.stream(path, query, silent_seconds=600) as events:
            async for event in events:
                for each in found(event["object"]):
                    self._serving.setdefault(each, time.monotonic())

    async def _load(self, ip: str) -> dict[str, Any]:
        async with self._session.get(f"http://{ip}:8010/load") as answer:
            load: dict[str, Any] = await answer.json()
            return load

    def _pods(self) -> str:
        return resources.PODS.collection(self._key.namespace)


def _labelled(pod: Any) -> Iterable[str]:
    metadata = pod["metadata"]
    return [metadata["name"]] if metadata["labels"]["stoker.dev/tier"] == "serving" else []


def _routed(slices: Any) -> Iterable[str]:
    return [each["addresses"][0] for each in slices["endpoints"] or () if each["conditions"].get("ready")]


async def promotions(options: argparse.Namespace) -> list[dict[str, float]]:
    chance, times = random.Random(1), []  # noqa: S311 - spreads the moments
    credentials = await credentials_from(Path(os.environ["KUBECONFIG"]))
    fresh = aiohttp.TCPConnector(force_close=True)
    async with Connection.open(credentials) as connection, aiohttp.ClientSession(connector=fresh) as session:
        model = Model(connection, session, options)
        async with model.watched():
            for _ in range(options.rounds):
                name, ip = await model.waiting()
                if options.tier == "asleep":
                    await model.asleep(ip)
                times.append(await model.promoted(name, ip))
                await model.scaled(options.fewer)
                # Some of the next ones begin while it still drains.
                await asyncio.sleep(chance.uniform(0.0, options.pause))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m e2e.operator.promotions", description=__doc__)
    parser.add_argument("url", help="of the Service, with /v1")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--fewer", type=int, default=1, help="replicas that serve before")
    parser.add_argument("--tier", choices=("warm", "asleep"), default="warm")
    parser.add_argument("--pause", type=float, default=8.0, help="most seconds between two rounds")
    print(json.dumps(asyncio.run(promotions(parser.parse_args()))))


if __name__ == "__main__":
    main()
