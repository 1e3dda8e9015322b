"""A stand-in for the LeaderWorkerSet API: a definition with the fields that Stoker uses, and a controller that makes
the StatefulSets that the real one makes. Pods, their names and their ends are the real StatefulSet controller's and the
real garbage collector's."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from stoker.core.names import GROUP_LABEL, leader_name
from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import Key, Resource
from tests.beside import working

STATEFUL_SETS = Resource("apps", "v1", "statefulsets")
_PREFIX = "leaderworkerset.sigs.k8s.io/"
_INTEGER = {"type": "integer", "format": "int32"}
_FREE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_TEMPLATE = {
    "type": "object",
    "required": ["workerTemplate"],
    "properties": {
        "size": _INTEGER | {"minimum": 1, "default": 1},
        "restartPolicy": {"type": "string", "enum": ["RecreateGroupOnPodRestart", "None"]},
        "leaderTemplate": _FREE,
        "workerTemplate": _FREE,
    },
}
_SPEC = {
    "type": "object",
    "required": ["leaderWorkerTemplate"],
    "properties": {
        "replicas": _INTEGER | {"default": 1},
        "startupPolicy": {"type": "string", "enum": ["LeaderCreated", "LeaderReady"]},
        "leaderWorkerTemplate": _TEMPLATE,
    },
}
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "leaderworkersets.leaderworkerset.x-k8s.io",
        # Names below k8s.io are for the APIs of Kubernetes itself, unless the definition says who has approved them.
        "annotations": {"api-approved.kubernetes.io": "unapproved, a stand-in for tests"},
    },
    "spec": {
        "group": resources.LEADER_WORKER_SETS.group,
        "scope": "Namespaced",
        "names": {"plural": "leaderworkersets", "singular": "leaderworkerset", "kind": "LeaderWorkerSet"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _SPEC}}},
            }
        ],
    },
}

Json = dict[str, Any]


class ToyGroups:
    """Makes a leader, then its workers, and all of them anew when one goes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._due: asyncio.Queue[Key] = asyncio.Queue()
        self._sets = Reflector(connection, Scope(resources.LEADER_WORKER_SETS), dict, self._set_changed)
        self._incomplete: set[str] = set()  # leaders, by uid, that have lost a worker
        self._pods = Reflector(connection, Scope(resources.PODS, label_selector=GROUP_LABEL), dict, self._pod_changed)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with working(self._sets.run(), self._pods.run(), self._work()):
            yield

    def _set_changed(self, key: Key, _old: Json | None, _new: Json | None) -> None:
        self._due.put_nowait(key)

    def _pod_changed(self, key: Key, old: Json | None, new: Json | None) -> None:
        labels = (new or old or {"metadata": {"labels": {}}})["metadata"]["labels"]
        group = Key(key.namespace, labels[GROUP_LABEL])
        leader = self._pods.get(Key(key.namespace, leader_name(group.name)))
        # Noted at once: by the time that the group is looked at, the pod may be gone and made anew.
        if leader and key.name != leader_name(group.name) and (new is None or "deletionTimestamp" in new["metadata"]):
            self._incomplete.add(leader["metadata"]["uid"])
        self._due.put_nowait(group)

    async def _work(self) -> None:
        while True:
            key = await self._due.get()
            owner = self._sets.get(key)
            if owner is None or "deletionTimestamp" in owner["metadata"]:
                continue
            with suppress(ApiUnreachableError):
                await self._make(key, owner)

    async def _make(self, key: Key, owner: Json) -> None:
        template = owner["spec"]["leaderWorkerTemplate"]
        name = {GROUP_LABEL: key.name, f"{_PREFIX}group-index": "0"}
        leader_set = _stateful_set(key, owner, template["leaderTemplate"], name | {f"{_PREFIX}worker-index": "0"}, 1)
        await self._create(leader_set)
        leader = self._pods.get(Key(key.namespace, leader_name(key.name)))
        if leader is None or "deletionTimestamp" in leader["metadata"]:
            return
        if leader["metadata"]["uid"] in self._incomplete:
            await self._delete_in_foreground(leader)
            return
        uid = leader["metadata"]["uid"]
        below = Key(key.namespace, leader["metadata"]["name"])
        workers = _stateful_set(
            below, leader, template["workerTemplate"], name | {f"{_PREFIX}group-key": uid}, template["size"] - 1
        )
        workers["spec"] |= {"ordinals": {"start": 1}, "podManagementPolicy": "Parallel"}
        await self._create(workers)

    async def _create(self, body: Json) -> None:
        with suppress(ApiError):
            await self._connection.post(STATEFUL_SETS.collection(body["metadata"]["namespace"]), body)

    async def _delete_in_foreground(self, pod: Json) -> None:
        key = Key(pod["metadata"]["namespace"], pod["metadata"]["name"])
        options = {"propagationPolicy": "Foreground", "preconditions": {"uid": pod["metadata"]["uid"]}}
        with suppress(ApiError):
            await self._connection.delete(resources.PODS.path(key), options)


def _stateful_set(key: Key, owner: Json, template: Mapping[str, Any], labels: Mapping[str, str], count: int) -> Json:
    metadata = template["metadata"] | {"labels": template["metadata"]["labels"] | labels}
    reference = {
        "apiVersion": owner.get("apiVersion", "v1"),
        "kind": owner.get("kind", "Pod"),
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": key.name, "namespace": key.namespace, "ownerReferences": [reference]},
        "spec": {
            "replicas": count,
            "serviceName": labels[GROUP_LABEL],
            "selector": {"matchLabels": dict(labels)},
            "template": {"metadata": metadata, "spec": template["spec"]},
        },
    }
