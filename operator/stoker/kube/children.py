"""The local picture of everything around the ModelDeployments, in the order in which a plan wants it: by model.

Every child tells by its label to which model it belongs. A change of a child only says "look at this model again".
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from stoker.core.names import MODEL_LABEL, leader_name
from stoker.core.plan.snapshot import Claim, Group, Job, Node, ObjectKind, Owned, Pod, ReplicaSet, Revision, Trouble
from stoker.kube import projections, resources
from stoker.kube.connection import Connection
from stoker.kube.reflector import WATCH_WITHOUT_BOOKMARKS_SECONDS, Reflector, Scope
from stoker.kube.resources import Key, Resource

T = TypeVar("T")
Enqueue = Callable[[Key], None]

OWNED_RESOURCES: Mapping[ObjectKind, Resource] = {
    ObjectKind.SERVICE: resources.SERVICES,
    ObjectKind.DISRUPTION_BUDGET: resources.DISRUPTION_BUDGETS,
    ObjectKind.NETWORK_POLICY: resources.NETWORK_POLICIES,
}
# Events about other kinds, and their normal ones, explain nothing that a condition says.
_EXPLAINED_KINDS = ("Pod", "PersistentVolumeClaim", "StatefulSet")


class Child(NamedTuple, Generic[T]):
    """An object and the model that it is labelled with."""

    model: str
    value: T


class ByModel(Generic[T]):
    """The children of one kind, below the model that they belong to."""

    def __init__(
        self,
        connection: Connection,
        resource: Resource,
        namespaces: Iterable[str],
        project: Callable[[Mapping[str, Any]], T | None],
        enqueue: Enqueue,
    ) -> None:
        self._enqueue = enqueue
        self._children: dict[Key, dict[Key, T]] = defaultdict(dict)
        self._project = project
        self.reflectors = {
            namespace: Reflector(
                connection, Scope(resource, namespace, label_selector=MODEL_LABEL), self._labelled, self._changed
            )
            for namespace in namespaces
        }

    def of(self, model: Key) -> tuple[T, ...]:
        return tuple(self._children.get(model, {}).values())

    def all(self) -> Iterator[tuple[Key, tuple[T, ...]]]:
        for model, children in self._children.items():
            yield model, tuple(children.values())

    def model_of(self, key: Key) -> Key | None:
        """The model of a child by the child's own name."""
        child = self._reflector(key.namespace).get(key)
        return Key(key.namespace, child.model) if child else None

    def absorb(self, item: Mapping[str, Any]) -> None:
        self._reflector(item["metadata"].get("namespace", "")).absorb(item)

    def __len__(self) -> int:
        return sum(map(len, self.reflectors.values()))

    def _reflector(self, namespace: str) -> Reflector[Child[T]]:
        return self.reflectors[namespace if namespace in self.reflectors else ""]

    def _labelled(self, item: Mapping[str, Any]) -> Child[T] | None:
        value = self._project(item)
        return None if value is None else Child(projections.model_of(item), value)

    def _changed(self, key: Key, old: Child[T] | None, new: Child[T] | None) -> None:
        for child in (old, new):
            if child is None:
                continue
            model = Key(key.namespace, child.model)
            if child is new:
                self._children[model][key] = child.value
            elif new is None or new.model != child.model:
                self._children[model].pop(key, None)
                if not self._children[model]:
                    del self._children[model]
            self._enqueue(model)


@dataclass(frozen=True)
class _About:
    kind: str
    key: Key


class Children:
    """Everything below the models. Runs until it is cancelled."""

    def __init__(
        self, connection: Connection, namespaces: tuple[str, ...], enqueue: Enqueue, *, with_groups: bool
    ) -> None:
        places = namespaces or ("",)
        self._enqueue = enqueue
        self.pods: ByModel[Pod] = ByModel(connection, resources.PODS, places, projections.pod, enqueue)
        self.replica_sets: ByModel[ReplicaSet] = ByModel(
            connection, resources.REPLICA_SETS, places, projections.replica_set, enqueue
        )
        # A watch of an API that is not there would never be in step.
        self.groups: ByModel[Group] = ByModel(
            connection, resources.LEADER_WORKER_SETS, places if with_groups else (), projections.group, enqueue
        )
        self.revisions: ByModel[Revision] = ByModel(
            connection, resources.CONTROLLER_REVISIONS, places, projections.revision, enqueue
        )
        self.jobs: ByModel[Job] = ByModel(connection, resources.JOBS, places, projections.job, enqueue)
        self.owned: Mapping[ObjectKind, ByModel[Owned]] = {
            kind: ByModel(connection, resource, places, projections.owned, enqueue)
            for kind, resource in OWNED_RESOURCES.items()
        }
        self._claims = [
            Reflector(connection, Scope(resources.CLAIMS, place), projections.claim, self._claim_changed)
            for place in places
        ]
        self._events = [
            Reflector(
                connection,
                Scope(resources.EVENTS, place, field_selector="type=Warning"),
                _explanation,
                self._trouble_changed,
                watch_seconds=WATCH_WITHOUT_BOOKMARKS_SECONDS,
            )
            for place in places
        ]
        self._nodes = Reflector(connection, Scope(resources.NODES), projections.node, self._node_changed)
        # By name, whether its volumes may grow.
        self._classes = Reflector(connection, Scope(resources.STORAGE_CLASSES), projections.may_grow, lambda *_: None)
        self._troubles: dict[_About, dict[Key, Trouble]] = defaultdict(dict)
        self._claim_users: dict[Key, set[Key]] = defaultdict(set)
        self._claims_of: dict[Key, frozenset[Key]] = {}

    def reflectors(self) -> Iterator[Reflector[Any]]:
        """Those without which nothing can be decided."""
        by_model: list[ByModel[Any]] = [self.pods, self.replica_sets, self.groups, self.revisions, self.jobs]
        for children in (*by_model, *self.owned.values()):
            yield from children.reflectors.values()
        yield from self._claims
        yield from self._events

    def of_the_cluster(self) -> tuple[Reflector[Any], ...]:
        """Those that need not be allowed."""
        return self._nodes, self._classes

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for reflector in (*self.reflectors(), *self.of_the_cluster()):
                group.create_task(reflector.run())

    async def wait_until_synced(self) -> None:
        for reflector in self.reflectors():
            await reflector.wait_until_synced()
        # A plan for nodes that cannot be seen is another plan, not one to make in the first second of every process.
        for reflector in self.of_the_cluster():
            await reflector.wait_until_answered()

    def silence_seconds(self) -> float:
        """Since when the quietest of them has heard nothing."""
        return max(reflector.silence_seconds() for reflector in self.reflectors())

    def nodes(self) -> tuple[Node, ...] | None:
        return tuple(node for _, node in self._nodes.items()) if self._nodes.synced else None

    def storage_classes(self) -> frozenset[str] | None:
        return frozenset(key.name for key, _ in self._classes.items()) if self._classes.synced else None

    def growing_classes(self) -> frozenset[str]:
        return frozenset(key.name for key, may_grow in self._classes.items() if may_grow)

    def absorb_claim(self, item: Mapping[str, Any]) -> None:
        namespace = item["metadata"]["namespace"]
        next(reflector for reflector in self._claims if reflector.scope.namespace in ("", namespace)).absorb(item)

    def claim(self, key: Key) -> Claim | None:
        return next((claim for reflector in self._claims if (claim := reflector.get(key))), None)

    def troubles(self, model: Key, claims: Iterable[str]) -> Iterator[Trouble]:
        abouts = [_About("PersistentVolumeClaim", Key(model.namespace, claim)) for claim in claims]
        abouts += [
            _About("Pod", Key(model.namespace, pod.identity.name)) for pod in self.pods.of(model) if not pod.ready
        ]
        # Leaders and workers have a StatefulSet each, below the LeaderWorkerSet.
        groups = [group.identity.name for group in self.groups.of(model)]
        abouts += [
            _About("StatefulSet", Key(model.namespace, name))
            for group in groups
            for name in (group, leader_name(group))
        ]
        for about in abouts:
            yield from self._troubles.get(about, {}).values()

    def uses_claims(self, model: Key, claims: Iterable[str]) -> None:
        """A claim carries no label of the models that use it."""
        wanted = frozenset(Key(model.namespace, claim) for claim in claims)
        before = self._claims_of.pop(model, frozenset())
        for claim in before - wanted:
            self._claim_users[claim].discard(model)
            if not self._claim_users[claim]:
                del self._claim_users[claim]
        for claim in wanted:
            self._claim_users[claim].add(model)
        if wanted:
            self._claims_of[model] = wanted

    def _node_changed(self, key: Key, old: Node | None, new: Node | None) -> None:
        """Whoever runs on a node that is about to go, or may stay after all, is looked at."""
        if (old.leaving if old else False) == (new.leaving if new else True):
            return
        for model, pods in self.pods.all():
            if any(pod.node == key.name for pod in pods):
                self._enqueue(model)

    def _claim_changed(self, key: Key, _old: Claim | None, _new: Claim | None) -> None:
        for model in self._claim_users.get(key, ()):
            self._enqueue(model)

    def _trouble_changed(self, key: Key, old: Trouble | None, new: Trouble | None) -> None:
        for trouble in (old, new):
            if trouble is None:
                continue
            about = _About(trouble.kind, Key(key.namespace, trouble.name))
            if trouble is new:
                self._troubles[about][key] = trouble
            elif new is None:
                self._troubles[about].pop(key, None)
                if not self._troubles[about]:
                    del self._troubles[about]
            if trouble.kind == "Pod" and (model := self.pods.model_of(about.key)):
                self._enqueue(model)
            elif trouble.kind == "PersistentVolumeClaim":
                self._claim_changed(about.key, None, None)
            elif trouble.kind == "StatefulSet" and (model := self._model_of_stateful_set(about.key)):
                self._enqueue(model)

    def _model_of_stateful_set(self, key: Key) -> Key | None:
        group = Key(key.namespace, key.name.removesuffix(leader_name("")))
        return (self.groups.model_of(key) or self.groups.model_of(group)) if self.groups.reflectors else None


def _explanation(item: Mapping[str, Any]) -> Trouble | None:
    trouble = projections.trouble(item)
    return trouble if trouble.kind in _EXPLAINED_KINDS else None
