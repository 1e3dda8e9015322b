"""`python -m e2e.operator.promotions`: promotes and demotes a replica again and again, and prints the seconds from each
order, the write of spec.replicas, until the promoted replica has served a request that came through the Service.

Runs in the cluster's network.
"""

import argparse
import asyncio
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import aiohttp

from stoker.kube import resources
from stoker.kube.connection import Connection, credentials_from
from stoker.kube.resources import Key

LONGEST_SECONDS = 60.0
ASK = {"model": "web", "prompt": "a", "max_tokens": 1}


class Model:
    def __init__(self, connection: Connection, session: aiohttp.ClientSession, options: argparse.Namespace) -> None:
        self._connection, self._session = connection, session
        self._key = Key(options.namespace, "web")
        self._url, self._fewer, self._tier = options.url, options.fewer, options.tier

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

    async def served_by(self, ip: str) -> float:
        """When it has served one more request than before."""
        before = (await self._load(ip))["finished"]
        await self.scaled(self._fewer + 1)
        async with asyncio.timeout(LONGEST_SECONDS):
            while (await self._load(ip))["finished"] == before:
                async with self._session.post(f"{self._url}/completions", json=ASK) as answer:
                    assert answer.status == 200, await answer.text()
        return time.monotonic()

    async def _load(self, ip: str) -> dict[str, Any]:
        async with self._session.get(f"http://{ip}:8010/load") as answer:
            load: dict[str, Any] = await answer.json()
            return load

    def _pods(self) -> str:
        return resources.PODS.collection(self._key.namespace)


async def promotions(options: argparse.Namespace) -> list[float]:
    chance, seconds = random.Random(1), []  # noqa: S311 - spreads the moments
    credentials = await credentials_from(Path(os.environ["KUBECONFIG"]))
    fresh = aiohttp.TCPConnector(force_close=True)
    async with Connection.open(credentials) as connection, aiohttp.ClientSession(connector=fresh) as session:
        model = Model(connection, session, options)
        for _ in range(options.rounds):
            _, ip = await model.waiting()
            if options.tier == "asleep":
                await model.asleep(ip)
            began = time.monotonic()
            seconds.append(await model.served_by(ip) - began)
            await model.scaled(options.fewer)
            # Some of the next ones begin while it still drains.
            await asyncio.sleep(chance.uniform(0.0, options.pause))
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m e2e.operator.promotions", description=__doc__)
    parser.add_argument("url", help="of the Service, with /v1")
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--fewer", type=int, default=1, help="replicas that serve before")
    parser.add_argument("--tier", choices=("warm", "asleep"), default="warm")
    parser.add_argument("--pause", type=float, default=4.0, help="most seconds between two rounds")
    print(json.dumps(asyncio.run(promotions(parser.parse_args()))))


if __name__ == "__main__":
    main()
