"""One node that exists in the API alone, and a kubelet for it that makes every pod ready and lets every pod go. Pods of
jobs end as soon as they run, with the last words that the test has for their task."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from stoker.core.names import TASK_CONTAINER, TASK_LABEL, TIER_LABEL, Tier
from stoker.core.timestamp import timestamp
from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import Key
from tests.beside import working

NODE = "toy"
_HEARTBEAT_SECONDS = 10.0


def _now() -> str:
    return timestamp(datetime.now(UTC))


class ToyNode:
    """Pods whose names are in `unwell` lose their readiness, or never get it."""

    def __init__(self, connection: Connection, name: str = NODE) -> None:
        self._connection = connection
        self.name = name
        self._taints: list[dict[str, str]] | None = None
        self._due: asyncio.Queue[Key] = asyncio.Queue()
        self.pods = Reflector(connection, Scope(resources.PODS), lambda item: item, self._changed)
        self.unwell: set[str] = set()
        self.start_seconds = 0.5  # from a node to ready
        self.drained: set[str] = set()  # every pod that was ever taken off traffic
        self.last_words: dict[str, str] = {}  # by task
        self.task_seconds: dict[str, float] = {}  # for which the pods of jobs run, by task
        self.ran: list[Key] = []  # a job for each of its pods that ran
        self._started_at: dict[Key, float] = {}
        self._ends_at: dict[Key, float] = {}

    def _changed(self, key: Key, _old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> None:
        if new and new["metadata"]["labels"].get(TIER_LABEL) == Tier.DRAINING:
            self.drained.add(key.name)
        self._due.put_nowait(key)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        await self._register()
        async with working(self.pods.run(), self._work(), self._beat()):
            await self.pods.wait_until_synced()
            yield

    async def _register(self) -> None:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self.name}}
        with suppress(ApiError):
            await self._connection.post(resources.NODES.collection(), node)
        await self._tell_node()

    async def dies(self, heir: str) -> None:
        """Says nothing of its pods any more, and another node serves from now on."""
        taint = {"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}
        await self._connection.merge_patch(resources.NODES.path(Key("", self.name)), {"spec": {"taints": [taint]}})
        self.name = heir
        await self._register()

    async def is_tainted(self, key: str) -> None:
        """It serves on; that something is about to happen to it is said by somebody else."""
        self._taints = [{"key": key, "effect": "NoSchedule"}]
        await self._tell_node()

    async def _tell_node(self) -> None:
        amounts = {"cpu": "64", "memory": "1Ti", "pods": "1000", "nvidia.com/gpu": "64"}
        ready = {"type": "Ready", "status": "True", "reason": "Toy", "lastHeartbeatTime": _now()}
        ready["lastTransitionTime"] = "2026-11-21T00:00:00Z"
        status = {"capacity": amounts, "allocatable": amounts, "conditions": [ready]}
        await self._connection.merge_patch(resources.NODES.path(Key("", self.name), "status"), {"status": status})
        await self._connection.merge_patch(resources.NODES.path(Key("", self.name)), {"spec": {"taints": self._taints}})

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_HEARTBEAT_SECONDS)
            await self._tell_node()

    async def _work(self) -> None:
        while True:
            key = await self._due.get()
            pod = self.pods.get(key)
            if pod is None or pod["spec"].get("nodeName") != self.name:
                continue
            with suppress(ApiError, ApiUnreachableError):
                await self._serve(key, pod)

    async def _serve(self, key: Key, pod: Mapping[str, Any]) -> None:
        path = resources.PODS.path(key)
        if "deletionTimestamp" in pod["metadata"]:
            await self._connection.delete(
                path, {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
            )
            return
        if pod["status"].get("phase") == "Pending" and not self._has_started(key):
            return
        if task := pod["metadata"]["labels"].get(TASK_LABEL):
            await self._work_off(key, pod, task)
            return
        ready = key.name not in self.unwell
        conditions = {condition["type"]: condition for condition in pod["status"].get("conditions") or ()}
        if (conditions.get("Ready", {}).get("status") == "True") != ready:
            told = {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": _now()}
            all_of_them = list((conditions | {"Ready": told}).values())
            body = {"status": {"phase": "Running", "conditions": all_of_them}}
            await self._connection.merge_patch(f"{path}/status", body)

    async def _work_off(self, key: Key, pod: Mapping[str, Any], task: str) -> None:
        phase, seconds = pod["status"]["phase"], self.task_seconds.get(task, 0.0)
        if phase == "Pending" and seconds:
            self._ends_at[key] = asyncio.get_running_loop().time() + seconds
            asyncio.get_running_loop().call_later(seconds + 0.01, self._due.put_nowait, key)
            running = {"status": {"phase": "Running", "startTime": _now()}}
            await self._connection.merge_patch(f"{resources.PODS.path(key)}/status", running)
        elif phase in ("Pending", "Running") and self._is_through(key):
            await self._end(key, pod, self.last_words[task])

    async def _end(self, key: Key, pod: Mapping[str, Any], last_words: str) -> None:
        self.ran.append(Key(key.namespace, pod["metadata"]["labels"]["job-name"]))
        ended = {"exitCode": 0, "reason": "Completed", "message": last_words, "startedAt": _now(), "finishedAt": _now()}
        container = {"name": TASK_CONTAINER, "image": "toy", "imageID": "toy", "ready": False, "restartCount": 0}
        status = {"phase": "Succeeded", "containerStatuses": [container | {"state": {"terminated": ended}}]}
        await self._connection.merge_patch(f"{resources.PODS.path(key)}/status", {"status": status})

    def _is_through(self, key: Key) -> bool:
        return asyncio.get_running_loop().time() >= self._ends_at.get(key, 0.0)

    def _has_started(self, key: Key) -> bool:
        loop = asyncio.get_running_loop()
        if key not in self._started_at:
            self._started_at[key] = loop.time() + self.start_seconds
            loop.call_later(self.start_seconds + 0.01, self._due.put_nowait, key)
        return loop.time() >= self._started_at[key]

    def becomes(self, pod_name: str, *, well: bool) -> None:
        (self.unwell.discard if well else self.unwell.add)(pod_name)
        for key in [key for key, _ in self.pods.items()]:
            if key.name == pod_name:
                self._due.put_nowait(key)
