"""What kstatus, which Flux asks, makes of a model: it knows conditions and generations, and nothing of Stoker.

Every version of the object is looked at. The API server numbers all writes in one row, so it can be told which pods
were Ready before a version was written.
"""

import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.binaries import KSTATUS
from e2e.cluster.build import built
from stoker.core.names import REVISION_LABEL, TASK_LABEL
from stoker.kube import resources
from stoker.kube.connection import Connection
from stoker.kube.resources import Key
from tests.beside import working
from tests.integration.operator_under_test import NAMESPACE, operator
from tests.integration.toy_node import ToyNode
from tests.integration.world import MODELS, World, inhabited

pytestmark = pytest.mark.timeout(900)  # once, the program is built

Json = dict[str, Any]
CURRENT, IN_PROGRESS, FAILED = "Current", "InProgress", "Failed"


class Kstatus:
    """The library that Flux asks, in a program that answers line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, item: Json) -> str:
        questions, answers = self._process.stdin, self._process.stdout
        assert questions
        assert answers
        questions.write(json.dumps(item) + "\n")
        questions.flush()
        return answers.readline().strip()


@pytest.fixture(scope="module")
def kstatus() -> Iterator[Kstatus]:
    command = [built([KSTATUS])[KSTATUS.name] / KSTATUS.name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Kstatus(process)


@dataclass
class History:
    """Every version of the models, and when each pod first was Ready."""

    kstatus: Kstatus
    models: list[Json] = field(default_factory=list)
    ready_at: dict[tuple[str, str], int] = field(default_factory=dict)  # of a pod and its revision
    gone_at: dict[str, int] = field(default_factory=dict)

    def take_model(self, _kind: str, item: Json) -> None:
        self.models.append(item)

    def take_pod(self, kind: str, item: Json) -> None:
        labels = item["metadata"]["labels"]
        if kind == "DELETED":
            self.gone_at[item["metadata"]["name"]] = int(item["metadata"]["resourceVersion"])
        conditions = {one["type"]: one["status"] for one in item.get("status", {}).get("conditions") or ()}
        # What leaves has no revision any more.
        if REVISION_LABEL in labels and TASK_LABEL not in labels and conditions.get("Ready") == "True":
            key = (item["metadata"]["name"], labels[REVISION_LABEL])
            self.ready_at.setdefault(key, int(item["metadata"]["resourceVersion"]))

    def was_ready(self, item: Json) -> int:
        """Pods of the revision that the version is about, which were Ready before it was written."""
        revision, version = item["status"].get("updateRevision"), int(item["metadata"]["resourceVersion"])
        return sum(at < version and of == revision for (_, of), at in self.ready_at.items())

    def were_gone(self, item: Json) -> int:
        """Pods that were there, and were not any more when the version was written."""
        return sum(at < int(item["metadata"]["resourceVersion"]) for at in self.gone_at.values())

    def verdicts(self, generation: int) -> list[str]:
        return [self.kstatus(item) for item in self.models if item["metadata"]["generation"] == generation]

    def check(self, replicas: int) -> None:
        """No version was called current while fewer pods were Ready than the spec wants."""
        for item in self.models:
            if self.kstatus(item) == CURRENT:
                assert self.was_ready(item) >= replicas, item["status"]


@asynccontextmanager
async def watched(connection: Connection, kstatus: Kstatus) -> AsyncIterator[History]:
    history = History(kstatus)

    async def watch(path: str, take: Callable[[str, Json], None]) -> None:
        query = {"watch": "1", "resourceVersion": "0"}
        async with connection.stream(path, query, silent_seconds=120) as events:
            async for event in events:
                take(event["type"], event["object"])

    models = watch(MODELS.collection(NAMESPACE), history.take_model)
    pods = watch(resources.PODS.collection(NAMESPACE), history.take_pod)
    async with working(models, pods):
        yield history


def starts_slowly(node: ToyNode) -> None:
    """So that there are versions in between."""
    node.start_seconds = 1.5


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig, starts_slowly) as made:
        yield made


async def becomes(world: World, kstatus: Kstatus, verdict: str) -> None:
    async def holds() -> bool:
        return kstatus(await world.model()) == verdict

    await world.until(holds, verdict)


async def test_a_model_that_nobody_has_seen_is_in_progress(world: World, kstatus: Kstatus) -> None:
    await world.create(1)
    assert kstatus(await world.model()) == IN_PROGRESS


async def test_a_fresh_model_is_current_only_when_its_replicas_are_ready(world: World, kstatus: Kstatus) -> None:
    async with watched(world.connection, kstatus) as history, operator(world.credentials):
        await world.create(3)
        await becomes(world, kstatus, CURRENT)
        await world.until_settled(3)
    verdicts = history.verdicts(generation=1)
    assert verdicts[0] == IN_PROGRESS
    assert verdicts[-1] == CURRENT
    history.check(3)


async def test_a_new_revision_is_current_only_when_it_serves_by_itself(world: World, kstatus: Kstatus) -> None:
    async with watched(world.connection, kstatus) as history, operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
        await world.edit(drain={"graceSeconds": 7})
        await world.until(_generation(world, 2), "a look at the edit")
        await becomes(world, kstatus, CURRENT)
        await world.until_settled(2)
    assert history.verdicts(generation=2)[0] == IN_PROGRESS
    history.check(2)


async def test_what_only_a_person_can_mend_is_failed_and_never_current(world: World, kstatus: Kstatus) -> None:
    async with watched(world.connection, kstatus) as history, operator(world.credentials):
        await world.create(1, rollout={"revision": "0123456789"})
        await becomes(world, kstatus, FAILED)
    assert CURRENT not in history.verdicts(generation=1)


async def test_a_suspended_model_is_current_once_nothing_of_it_runs_any_more(world: World, kstatus: Kstatus) -> None:
    async with watched(world.connection, kstatus) as history, operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
        history.gone_at.clear()
        await world.edit(suspend=True)
        await world.until(_generation(world, 2), "a look at the edit")
        await becomes(world, kstatus, CURRENT)
    assert await world.of_model(resources.PODS) == []
    suspended = [item for item in history.models if item["metadata"]["generation"] == 2]
    assert all(history.were_gone(item) >= 2 for item in suspended if kstatus(item) == CURRENT)
    assert IN_PROGRESS in map(kstatus, suspended)


async def test_a_model_that_is_made_suspended_is_current_without_ever_having_run(
    world: World, kstatus: Kstatus
) -> None:
    async with operator(world.credentials):
        await world.create(2, suspend=True)
        await becomes(world, kstatus, CURRENT)
    assert await world.of_model(resources.PODS) == []


async def test_more_replicas_by_an_order_are_waited_for(world: World, kstatus: Kstatus) -> None:
    async with watched(world.connection, kstatus) as history, operator(world.credentials):
        await world.create(1)
        await world.until_settled(1)
        await world.connection.merge_patch(MODELS.path(Key(NAMESPACE, world.name), "scale"), {"spec": {"replicas": 3}})
        await world.until(_generation(world, 2), "a look at the order")
        await becomes(world, kstatus, CURRENT)
        await world.until_settled(3)
    current = [item for item in history.models if kstatus(item) == CURRENT and item["metadata"]["generation"] == 2]
    assert current
    assert all(history.was_ready(item) >= 3 for item in current)


def _generation(world: World, generation: int) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        item = await world.model()
        return bool(item["status"].get("observedGeneration") == item["metadata"]["generation"] == generation)

    return holds
