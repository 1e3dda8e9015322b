"""Quotas, holders of devices and other tools' workloads, as a real API server tells them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from stoker.core.follow.others import Quota
from stoker.kube import resources
from stoker.kube.connection import Connection, credentials_from
from stoker.kube.observed import Reference
from stoker.kube.resources import Key
from stoker.kube.surroundings import Surroundings
from tests.beside import working
from tests.integration.api_server import ApiServer

GPU = "nvidia.com/gpu"
NAMESPACE = "default"
THEIRS = Reference("ReplicaSet", Key(NAMESPACE, "theirs"))
CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 8000}]}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the API server decides when
            await asyncio.sleep(0.02)


@asynccontextmanager
async def seen(api: ApiServer) -> AsyncIterator[tuple[Connection, Surroundings]]:
    async with Connection.open(await credentials_from(api.kubeconfig)) as connection:
        surroundings = Surroundings(connection, (), with_holders=True)
        try:
            async with working(surroundings.run()):
                yield connection, surroundings
        finally:
            await asyncio.sleep(0.2)


async def make(connection: Connection, resource: resources.Resource, name: str, **body: Any) -> None:
    metadata = {"name": name, "namespace": NAMESPACE} | body.pop("metadata", {})
    await connection.post(resource.collection(NAMESPACE), {"metadata": metadata} | body)


async def test_only_pods_with_a_node_and_with_devices_hold_any(api: ApiServer) -> None:
    async with seen(api) as (connection, surroundings):
        devices = CONTAINER | {"resources": {"limits": {GPU: "2"}}}
        await make(connection, resources.PODS, "holder", spec={"nodeName": "a", "containers": [devices]})
        await make(connection, resources.PODS, "waiting", spec={"containers": [devices]})
        await make(connection, resources.PODS, "without", spec={"nodeName": "a", "containers": [CONTAINER]})
        await until(lambda: bool(list(surroundings.holders())))
        await asyncio.sleep(0.5)
        (holder,) = surroundings.holders()
        assert (holder.node, holder.devices) == ("a", {GPU: 2})
        await connection.delete(resources.PODS.path(Key(NAMESPACE, "holder")), {"gracePeriodSeconds": 0})
        await until(lambda: not list(surroundings.holders()))


async def test_a_quota_is_seen(api: ApiServer) -> None:
    async with seen(api) as (connection, surroundings):
        await make(connection, resources.RESOURCE_QUOTAS, "gpus", spec={"hard": {f"requests.{GPU}": "3"}})
        await until(lambda: bool(list(surroundings.quotas())))
        assert list(surroundings.quotas()) == [(NAMESPACE, Quota({GPU: 3}, {}))]
        await connection.delete(resources.RESOURCE_QUOTAS.path(Key(NAMESPACE, "gpus")), {})


async def test_the_pods_of_another_tools_workload_are_followed_from_its_making_to_its_end(api: ApiServer) -> None:
    async with seen(api) as (connection, surroundings):
        observed = surroundings.observed
        observed.follow({THEIRS})
        await until(lambda: "There is no ReplicaSet theirs" in observed.trouble(THEIRS))
        labels = {"app": "theirs"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [CONTAINER]}}
        await make(
            connection,
            resources.REPLICA_SETS,
            "theirs",
            spec={"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
        )
        await make(
            connection, resources.PODS, "theirs-0", metadata={"labels": labels}, spec={"containers": [CONTAINER]}
        )
        await make(
            connection, resources.PODS, "mine", metadata={"labels": {"app": "x"}}, spec={"containers": [CONTAINER]}
        )
        await until(lambda: len(observed.pods(THEIRS)) == 1)
        assert observed.trouble(THEIRS) == ""
        assert observed.pods(THEIRS)[0].identity.name == "theirs-0"
        await connection.delete(resources.REPLICA_SETS.path(Key(NAMESPACE, "theirs")), {})
        await until(lambda: "There is no" in observed.trouble(THEIRS))
        assert observed.pods(THEIRS) == ()
        observed.follow(set())
        assert "was not read yet" in observed.trouble(THEIRS)
