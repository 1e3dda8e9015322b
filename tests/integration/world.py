"""The cluster as a user and a node see it, and what a model needs in it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.aio.client import Configuration as Credentials

from stoker.api.schema.crd import custom_resource_definition
from stoker.core.names import TASK_LABEL, TIER_LABEL
from stoker.kube import resources
from stoker.kube.connection import ApiError, Connection, credentials_from
from stoker.kube.resources import Key
from tests.integration.operator_under_test import LAST_TURNS_SECONDS, NAMESPACE
from tests.integration.toy_groups import DEFINITION, ToyGroups
from tests.integration.toy_node import ToyNode
from tests.unit.plan.fetching import FETCHED, INSPECTED

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MODELS = resources.MODEL_DEPLOYMENTS
WAIT_SECONDS = 60.0
STORAGE_CLASS = "toy"
NUMBERS = itertools.count()


@dataclass
class World:
    """The cluster as a user and a node see it."""

    connection: Connection
    node: ToyNode
    credentials: Callable[[], Credentials]
    name: str = ""
    namespace: str = NAMESPACE

    async def create(self, replicas: int = 2, name: str = "", **spec: Any) -> None:
        self.name = name or f"m{next(NUMBERS)}"
        manifest = {
            "apiVersion": "stoker.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "model": {"source": "pvc://weights/tiny"},
                "engine": {"name": "simulated", "image": "localhost/simulated:1"},
                "replicas": replicas,
                "scaling": {"maxReplicas": 20},
            }
            | spec,
        }
        await self.connection.post(MODELS.collection(self.namespace), manifest)

    async def edit(self, **spec: Any) -> None:
        await self.connection.merge_patch(MODELS.path(Key(self.namespace, self.name)), {"spec": spec})

    async def delete(self) -> None:
        await self.connection.delete(MODELS.path(Key(self.namespace, self.name)), {})

    async def model(self) -> dict[str, Any]:
        return await self.connection.get(MODELS.path(Key(self.namespace, self.name)))

    async def models(self) -> list[dict[str, Any]]:
        return [item async for item in self.connection.list(MODELS.collection(self.namespace), {})]

    async def of_model(self, resource: resources.Resource) -> list[dict[str, Any]]:
        query = {"labelSelector": f"stoker.dev/model={self.name}"}
        return [item async for item in self.connection.list(resource.collection(self.namespace), query)]

    async def pods(self) -> set[str]:
        """Those that are there to stay."""
        return {pod["metadata"]["name"] for pod in _staying(await self.of_model(resources.PODS))}

    async def taking_traffic(self) -> list[dict[str, Any]]:
        """Those of them that are ready; of a replica that spans several, its leader."""
        return [
            pod
            for pod in _staying(await self.of_model(resources.PODS))
            if any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())
        ]

    async def settled(self, replicas: int) -> bool:
        """The spec is brought about, nothing is on its way out, and the status says so."""
        # Lists are asked for only then: all that wait would keep the API server busy with nothing else.
        return says_settled(await self.model(), replicas) and await self._has_no_more_than(replicas)

    async def _has_no_more_than(self, replicas: int) -> bool:
        pods = [pod for pod in await self.of_model(resources.PODS) if TASK_LABEL not in pod["metadata"]["labels"]]
        counts = [replica_set["spec"]["replicas"] for replica_set in await self.of_model(resources.REPLICA_SETS)]
        return counts == [replicas] and len(pods) == len(_staying(pods)) == replicas

    async def until(self, holds: Callable[[], Awaitable[bool]], what: str, seconds: float = WAIT_SECONDS) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not await holds():  # noqa: ASYNC110 - the cluster decides when
                    await asyncio.sleep(0.05)
        except TimeoutError:
            status = (await self.model()).get("status") if self.name else None
            raise AssertionError(f"{what}: not within {seconds:.0f} s; status: {status}") from None

    async def until_settled(self, replicas: int) -> None:
        await self.until(lambda: self.settled(replicas), f"{replicas} replicas")


def says_settled(model: dict[str, Any], replicas: int) -> bool:
    status = model.get("status", {})
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    return (
        status.get("observedGeneration") == model["metadata"]["generation"]
        and status.get("readyReplicas") == replicas
        and not status.get("drainingReplicas")
        and conditions.get("Reconciling") == "False"
    )


def _staying(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        pod
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"] and pod["metadata"]["labels"].get(TIER_LABEL) == "serving"
    ]


async def prepare(connection: Connection, namespace: str, *, with_controllers: bool = True) -> None:
    volume = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "hostPath": {"path": "/nowhere"},
        "claimRef": {"namespace": namespace, "name": "weights"},
    }
    claim = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "",
        "volumeName": f"weights-{namespace}",
    }
    for path, body in (
        (CRDS, custom_resource_definition()),
        ("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": namespace}}),
        (
            "/api/v1/persistentvolumes",
            {"kind": "PersistentVolume", "metadata": {"name": f"weights-{namespace}"}, "spec": volume},
        ),
        (
            resources.CLAIMS.collection(namespace),
            {"kind": "PersistentVolumeClaim", "metadata": {"name": "weights"}, "spec": claim},
        ),
    ):
        try:
            await connection.post(path, {"apiVersion": "v1"} | body)
        except ApiError as there:
            if there.reason != "AlreadyExists":
                raise
    async with asyncio.timeout(90):
        while True:
            with suppress(ApiError):
                await connection.get(MODELS.collection(namespace))
                if not with_controllers:
                    return
                bound = await connection.get(resources.CLAIMS.path(Key(namespace, "weights")))
                # Without it the controllers cannot make pods, and come back later and later.
                await connection.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
                if bound["status"].get("phase") == "Bound":
                    return
            await asyncio.sleep(0.1)


@asynccontextmanager
async def inhabited(
    kubeconfig: Path, settle: Callable[[ToyNode], None] = lambda _: None, *, with_groups: bool = False
) -> AsyncIterator[World]:
    """A world with a node that `settle` sets up. The model that a test leaves behind goes at the end."""
    found = await credentials_from(kubeconfig)
    async with Connection.open(found) as connection:
        if with_groups:
            with suppress(ApiError):
                await connection.post(CRDS, DEFINITION)
        await prepare(connection, NAMESPACE)
        node = ToyNode(connection)
        settle(node)
        groups = ToyGroups(connection).running() if with_groups else nullcontext()
        async with node.running(), groups:
            made = World(connection, node, lambda: found)
            yield made
            if made.name:
                with suppress(ApiError):
                    await made.delete()
    await asyncio.sleep(LAST_TURNS_SECONDS)


def fetches(node: ToyNode) -> None:
    """Its jobs inspect and fetch as real ones do."""
    node.last_words = {"inspect": json.dumps(INSPECTED), "fetch": json.dumps(FETCHED)}


async def make_storage_class(connection: Connection) -> None:
    body = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS},
        "provisioner": "kubernetes.io/no-provisioner",
    }
    with suppress(ApiError):  # it is there already
        await connection.post("/apis/storage.k8s.io/v1/storageclasses", body)


async def make_volume(connection: Connection, name: str) -> None:
    spec = {
        "capacity": {"storage": "1Ti"},
        "accessModes": ["ReadWriteMany"],
        "hostPath": {"path": "/nowhere"},
        "storageClassName": STORAGE_CLASS,
    }
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}
    await connection.post("/api/v1/persistentvolumes", body)
