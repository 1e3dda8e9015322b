"""Workloads of other tools, as models name them in scaling.targetRef: the pods behind each, and nothing is written.

Each is read by two watches of its own, which begin when a model names it and end when none does any more.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from stoker.core.follow.others import Selector
from stoker.core.names import Tier
from stoker.core.plan.snapshot import Pod
from stoker.kube import projections, resources
from stoker.kube.connection import Connection
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import Key

RESOURCES = {
    "Deployment": resources.DEPLOYMENTS,
    "StatefulSet": resources.STATEFUL_SETS,
    "ReplicaSet": resources.REPLICA_SETS,
}


class Reference(NamedTuple):
    """A workload by its kind and name."""

    kind: str
    key: Key

    def __str__(self) -> str:
        return f"{self.kind} {self.key.name}"


@dataclass
class _Watched:
    """One workload, and its pods once its selector is known."""

    connection: Connection
    reference: Reference
    workload: Reflector[Selector] = field(init=False)
    pods: Reflector[Pod] | None = None
    task: "asyncio.Task[None] | None" = None
    _turned: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        kind, key = self.reference
        scope = Scope(RESOURCES[kind], key.namespace, field_selector=f"metadata.name={key.name}")
        self.workload = Reflector(self.connection, scope, selector, lambda *_: self._turned.set())

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.workload.run())
            following: asyncio.Task[None] | None = None
            while True:
                await self._turned.wait()
                self._turned.clear()
                if following is not None:
                    following.cancel()
                    following, self.pods = None, None
                found = self.workload.get(self.reference.key)
                if found is not None and found.text:
                    scope = Scope(resources.PODS, self.reference.key.namespace, label_selector=found.text)
                    self.pods = Reflector(self.connection, scope, replica_of_another, lambda *_: None)
                    following = group.create_task(self.pods.run())

    def trouble(self) -> str:
        """Why its pods are not known; empty where they are."""
        kind, key = self.reference
        if not self.workload.synced:
            return (
                f"{self.reference} was not read yet: where that stays so, let the operator list and watch"
                f" {RESOURCES[kind].plural}."
            )
        found = self.workload.get(key)
        if found is None:
            return f"There is no {self.reference} in namespace {key.namespace}: correct spec.scaling.targetRef."
        if not found.text:
            return f"{self.reference} selects no pods."
        if self.pods is None or not self.pods.synced:
            return f"The pods of {self.reference} were not read yet."
        return ""


class ObservedWorkloads:
    """Runs until it is cancelled."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._watched: dict[Reference, _Watched] = {}

    def follow(self, references: set[Reference]) -> None:
        """All that are of interest; the others are forgotten."""
        for reference in self._watched.keys() - references:
            watched = self._watched.pop(reference)
            if watched.task:
                watched.task.cancel()
        for reference in references - self._watched.keys():
            watched = _Watched(self._connection, reference)
            watched.task = asyncio.create_task(watched.run())
            self._watched[reference] = watched

    def pods(self, reference: Reference) -> tuple[Pod, ...]:
        watched = self._watched.get(reference)
        if watched is None or watched.pods is None or watched.trouble():
            return ()
        return tuple(pod for _, pod in watched.pods.items())

    def trouble(self, reference: Reference) -> str:
        watched = self._watched.get(reference)
        return watched.trouble() if watched else f"{reference} was not read yet."

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.follow(set())


def selector(item: Mapping[str, Any]) -> Selector:
    """None where it selects nothing, or by what a query cannot say."""
    said = item["spec"].get("selector") or {}
    terms = [f"{key}={value}" for key, value in sorted((said.get("matchLabels") or {}).items())]
    terms += _expressions(said.get("matchExpressions") or ())
    return Selector(",".join(terms) or None)


def _expressions(expressions: Any) -> Iterator[str]:
    for expression in expressions:
        key, values = expression["key"], ",".join(sorted(expression.get("values") or ()))
        yield {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }[expression["operator"]]


def replica_of_another(item: Mapping[str, Any]) -> Pod:
    """All of its pods serve."""
    pod, labels = projections.pod(item), item["metadata"].get("labels") or {}
    revision = labels.get("pod-template-hash") or labels.get("controller-revision-hash") or "observed"
    ports = [port["containerPort"] for each in item["spec"]["containers"] for port in each.get("ports") or ()]
    return replace(
        pod, tier=Tier.SERVING, revision=revision, agent_port=0, server_port=pod.server_port or next(iter(ports), 0)
    )
