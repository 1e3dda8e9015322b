"""Reads a cluster for `stoker preflight`. What cannot be read becomes Unread, and stops nothing else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from kubernetes.aio.client import Configuration as Credentials

from stoker.api.configuration import Configuration
from stoker.api.schema.permissions import PERMISSIONS
from stoker.api.values.quantity import Quantity
from stoker.core.permissions import Access, accesses
from stoker.core.preflight.facts import Facts, Node, Quota, Silence, StorageClass, Unread
from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection, Json
from stoker.kube.resources import Key, Resource

T = TypeVar("T")

REQUEST_TIMEOUT_SECONDS = 10.0
_MOST_AT_ONCE = 16  # the API server's fairness would make more of them wait, and count that as time-outs

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False)
_DRIVERS = Resource("storage.k8s.io", "v1", "csidrivers", namespaced=False)
_NAMESPACES = Resource("", "v1", "namespaces", namespaced=False)
_QUOTAS = Resource("", "v1", "resourcequotas")
_PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", namespaced=False)
_RUNTIME_CLASSES = Resource("node.k8s.io", "v1", "runtimeclasses", namespaced=False)
_ACCESS_REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False)
_LEADER_WORKER_SETS = "/apis/leaderworkerset.x-k8s.io"
_DEFINITION_NAME = f"{resources.MODEL_DEPLOYMENTS.plural}.{resources.MODEL_DEPLOYMENTS.group}"

_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


async def gathered(
    credentials: Credentials, configuration: Configuration, namespace: str, operator_namespace: str
) -> Facts:
    questions = dict.fromkeys(
        access
        for permission in PERMISSIONS
        for access in accesses(permission, configuration.watch.namespaces, operator_namespace)
    )
    opened: AbstractAsyncContextManager[Connection] = Connection.open(
        credentials, request_timeout_seconds=REQUEST_TIMEOUT_SECONDS
    )
    async with opened as connection:
        reader = _Reader(connection)
        version = await reader.version()
        async with asyncio.TaskGroup() as tasks:
            start = tasks.create_task
            definition = start(reader.object(_DEFINITIONS, _DEFINITION_NAME))
            classes = start(reader.all(resources.STORAGE_CLASSES.collection(), _storage_class))
            drivers = start(reader.all(_DRIVERS.collection(), _name))
            nodes = start(reader.all(resources.NODES.collection(), _node))
            namespace_object = start(reader.object(_NAMESPACES, namespace))
            quotas = start(reader.all(_QUOTAS.collection(namespace), _quota))
            priority_class = start(reader.object(_PRIORITY_CLASSES, configuration.pods.priority_class_name))
            runtime_class = start(reader.object(_RUNTIME_CLASSES, configuration.pods.runtime_class_name))
            leader_workers = start(reader.lookup(_LEADER_WORKER_SETS))
            allowed = {access: start(reader.allowed(access)) for access in questions}
        drivers_found = drivers.result()
        return Facts(
            address=str(credentials.host),
            namespace=namespace,
            version=version,
            definition=definition.result(),
            storage_classes=classes.result(),
            drivers=drivers_found if isinstance(drivers_found, Unread) else frozenset(drivers_found),
            nodes=nodes.result(),
            namespace_exists=_there(namespace_object.result()),
            quotas=quotas.result(),
            priority_class_exists=_there(priority_class.result()),
            runtime_class_exists=_there(runtime_class.result()),
            leader_worker_sets=_there(leader_workers.result()),
            allowed={access: answer.result() for access, answer in allowed.items()},
        )


class _Reader:
    """Asks for one fact after the other. Where nobody answers at all, only once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._at_once = asyncio.Semaphore(_MOST_AT_ONCE)
        self._no_answer: Unread | None = None

    async def version(self) -> str | Unread:
        version = await self._asked(lambda: self._connection.get("/version"))
        if isinstance(version, Unread):
            if version.silence is not Silence.REFUSED:
                self._no_answer = Unread(version.silence, "the API server does not answer this user")
            return version
        return str(version.get("gitVersion"))

    async def object(self, resource: Resource, name: str | None) -> Json | Unread | None:
        """None: there is none of this name, or no name."""
        return await self.lookup(resource.path(Key("", name))) if name else None

    async def lookup(self, path: str) -> Json | Unread | None:
        async def found() -> Json | None:
            try:
                return await self._connection.get(path)
            except ApiError as refused:
                if refused.status == 404:
                    return None
                raise

        return await self._asked(found)

    async def all(self, path: str, project: Callable[[Json], T]) -> tuple[T, ...] | Unread:
        async def projected() -> tuple[T, ...]:
            found: list[T] = []
            await self._connection.each(path, lambda item: found.append(project(item)))
            return tuple(found)

        return await self._asked(projected)

    async def allowed(self, access: Access) -> bool | Unread:
        resource, _, subresource = access.resource.partition("/")
        attributes = {
            "namespace": access.namespace,
            "verb": access.verb,
            "group": access.group,
            "resource": resource,
            "subresource": subresource,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = await self._asked(lambda: self._connection.post(_ACCESS_REVIEWS.collection(), review))
        if isinstance(answer, Unread):
            return answer
        status = answer["status"]
        if not status.get("allowed") and status.get("evaluationError"):
            return Unread(Silence.REFUSED, f"the authorizer could not tell: {status['evaluationError']}")
        return bool(status.get("allowed"))

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T | Unread:
        if self._no_answer:
            return self._no_answer
        try:
            async with self._at_once:
                return await ask()
        except ApiUnreachableError as silent:
            return Unread(Silence.UNREACHABLE, str(silent))
        except ApiError as refused:
            known = refused.status != 401
            return Unread(Silence.REFUSED if known else Silence.UNAUTHENTICATED, str(refused))


def _there(found: Json | Unread | None) -> bool | Unread:
    return found if isinstance(found, Unread) else found is not None


def _name(item: Json) -> str:
    return str(item["metadata"]["name"])


def _storage_class(item: Json) -> StorageClass:
    annotations = item["metadata"].get("annotations") or {}
    return StorageClass(
        name=_name(item),
        provisioner=str(item["provisioner"]),
        waits_for_consumer=item.get("volumeBindingMode") == "WaitForFirstConsumer",
        default=any(annotations.get(mark) == "true" for mark in _DEFAULT_CLASS),
    )


def _node(item: Json) -> Node:
    status = item.get("status") or {}
    conditions = status.get("conditions") or ()
    return Node(
        name=_name(item),
        ready=any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions),
        cordoned=bool((item.get("spec") or {}).get("unschedulable")),
        labels=item["metadata"].get("labels") or {},
        capacity=_extended(status.get("capacity") or {}),
        allocatable=_extended(status.get("allocatable") or {}),
    )


def _extended(amounts: Mapping[str, str]) -> dict[str, int]:
    """Extended resources are those with a domain in their name, and are counted in whole devices."""
    return {name: Quantity.parse(amount).whole_units for name, amount in amounts.items() if "/" in name}


def _quota(item: Json) -> Quota:
    spec, status = item.get("spec") or {}, item.get("status") or {}
    return Quota(
        name=_name(item),
        hard=spec.get("hard") or {},
        used=status.get("used") or {},
        scoped=bool(spec.get("scopes") or spec.get("scopeSelector")),
    )
