"""Reads a fleet for a person. What the cluster refuses becomes a sentence that says what to do."""

import argparse
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from stoker.api.values.quantity import Quantity
from stoker.cli.cluster_options import cluster_of
from stoker.cli.fleet.screen import Fleet
from stoker.cli.fleet.seen import Seen, seen
from stoker.cli.input_error import InputError
from stoker.cli.refusals import MissingError, explained
from stoker.kube import resources
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.resources import Key

Json = dict[str, Any]
_TIMEOUT_SECONDS = 15.0
_MODELS = resources.MODEL_DEPLOYMENTS


@dataclass(frozen=True)
class Reader:
    """One cluster, and the namespaces that are meant."""

    connection: Connection
    namespace: str
    """Empty: all of them."""

    @property
    def place(self) -> str:
        return f"namespace {self.namespace}" if self.namespace else "all namespaces"

    async def models(self) -> tuple[Seen, ...]:
        with explained("list", _MODELS, self.namespace):
            found = [seen(item) async for item in self.connection.list(_MODELS.collection(self.namespace))]
        return tuple(sorted(found, key=lambda model: (model.namespace, model.name)))

    async def model(self, name: str) -> Seen:
        """InputError with the names that come near where there is none of this one."""
        if found := await self._found(Key(self.namespace, name)):
            return found
        there = [model.name for model in await self.models()]
        raise InputError([f"there is no ModelDeployment {name} in {self.place}: {_offer(name, there)}"])

    async def in_place_of(self, before: Seen) -> Seen | None:
        """What has the name of a model that was seen; None where nothing has."""
        return await self._found(Key(before.namespace, before.name))

    async def _found(self, key: Key) -> Seen | None:
        try:
            with explained("get", _MODELS, key.namespace):
                return seen(await self.connection.get(_MODELS.path(key)))
        except MissingError:
            return None

    async def fleet(self, name: str | None = None) -> Fleet:
        models = (await self.model(name),) if name else await self.models()
        return Fleet(self.place, models, await self.capacity(), across=not self.namespace)

    async def capacity(self) -> Mapping[str, int] | None:
        """Accelerators that Ready nodes offer; None where nodes may not be read."""
        counted: dict[str, int] = {}
        try:
            async for node in self.connection.list(resources.NODES.collection()):
                for name, amount in ((node.get("status") or {}).get("allocatable") or {}).items():
                    if "/" in name:
                        counted[name] = counted.get(name, 0) + Quantity.parse(amount).whole_units
        except ApiError:
            return None
        except ApiUnreachableError as silent:
            raise InputError([f"the API server does not answer: {silent}"]) from silent
        return counted

    async def events(self, model: Seen) -> tuple[Json, ...] | None:
        """Those about one model; None where they may not be read."""
        chosen = f"involvedObject.kind=ModelDeployment,involvedObject.name={model.name}"
        path = resources.EVENTS.collection(model.namespace)
        try:
            return tuple([event async for event in self.connection.list(path, {"fieldSelector": chosen})])
        except ApiError:
            return None

    async def annotate(self, model: Seen, annotations: Mapping[str, str]) -> None:
        """Only on the very object that was seen."""
        await self._patch(model, {"metadata": {"annotations": dict(annotations)}}, "uid")

    async def pin(self, model: Seen, revision: str | None, writer: str) -> None:
        """ChangedMeanwhileError where somebody changed it since, whose change has to be seen first."""
        await self._patch(model, {"spec": {"rollout": {"revision": revision}}}, "uid", "resourceVersion", writer=writer)

    async def _patch(self, model: Seen, patch: Json, *fenced_by: str, writer: str = "") -> None:
        fence = {name: model.raw["metadata"][name] for name in fenced_by}
        body = patch | {"metadata": patch.get("metadata", {}) | fence}
        query = {"fieldValidation": "Strict"} | ({"fieldManager": writer} if writer else {})
        with explained("patch", _MODELS, model.namespace):
            await self.connection.merge_patch(_MODELS.path(Key(model.namespace, model.name)), body, query)


@asynccontextmanager
async def reader(options: argparse.Namespace) -> AsyncIterator[Reader]:
    cluster = await cluster_of(options)
    everywhere = getattr(options, "all_namespaces", False)
    async with Connection.open(cluster.credentials, request_timeout_seconds=_TIMEOUT_SECONDS) as connection:
        yield Reader(connection, "" if everywhere else options.namespace or cluster.namespace)


def _offer(name: str, there: list[str]) -> str:
    if near := get_close_matches(name, there, n=3, cutoff=0.5):
        return f"did you mean {' or '.join(near)}?"
    if there:
        return f"there are {', '.join(there[:10])}{' and more' if len(there) > 10 else ''}"
    return "there is none at all; -n names another namespace"
