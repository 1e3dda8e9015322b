"""Every verb of every rule is needed: without it a life of a model meets an error that names it, and with all of them
it meets none.

The API server has the admission plugin of clusters (OpenShift, among others) where only those may change the owner of
an object who may delete it.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from e2e.cluster.assets import kubebuilder_assets
from e2e.cluster.control_plane import control_plane
from stoker.api.configuration import Configuration
from stoker.api.schema.permissions import PERMISSIONS, Permission, Scope
from stoker.core.names import claim_name
from stoker.handlers.watching import Sweep
from stoker.kube import resources
from stoker.kube.connection import ApiError, Connection, Json, Query
from stoker.kube.freeze import Freeze
from stoker.kube.leadership import Leadership
from stoker.kube.lease import ElectionSettings
from stoker.kube.models import Models
from stoker.kube.observed import Reference
from stoker.kube.resources import Key
from stoker.kube.surroundings import Surroundings
from tests.integration.account import NAME, account_with
from tests.integration.operator_under_test import CountedConnection, operator
from tests.integration.toy_node import ToyNode
from tests.integration.world import STORAGE_CLASS, World, fetches, inhabited, make_storage_class, make_volume, prepare
from tests.unit.plan.fetching import IMAGE

OWNERS_ARE_GUARDED = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement"
AT_ONCE = 6
LONGEST_LIFE_SECONDS = 150.0
CONFIGURATION = Configuration.model_validate({"runtime": {"image": IMAGE}}, strict=False)
GROUPS = resources.LEADER_WORKER_SETS
OWNED = (
    resources.SERVICES,
    resources.DISRUPTION_BUDGETS,
    resources.NETWORK_POLICIES,
    resources.CONTROLLER_REVISIONS,
)
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Withheld:
    """One verb of one rule."""

    permission: Permission
    verb: str

    def __str__(self) -> str:
        return f"{self.verb} {self.permission.resource}"

    def rest(self) -> tuple[Permission, ...]:
        verbs = tuple(verb for verb in self.permission.verbs if verb != self.verb)
        less = (replace(one, verbs=verbs) if one == self.permission else one for one in PERMISSIONS)
        return tuple(one for one in less if one.verbs)  # a rule without verbs is refused

    def is_named_in(self, text: str, namespace: str) -> bool:
        user = f'User "system:serviceaccount:{namespace}:{NAME}"'
        guarded = "cannot set an ownerRef on a resource you can't delete"
        return f'{user} cannot {self.verb} resource "{self.permission.resource}"' in text or (
            self.verb == "delete"
            and guarded in text
            and f"{self.permission.resource}" in text.split(" is forbidden", maxsplit=1)[0]
        )


ALL_OF_THEM = [Withheld(permission, verb) for permission in PERMISSIONS for verb in permission.verbs]


class TwiceConnection(CountedConnection):
    """What is made is asked for twice, as happens where an answer gets lost: the second one finds it there."""

    async def _ask(self, method: str, path: str, query: Query | None, *more: Any) -> Json:
        if method == "POST" and not path.endswith("/events"):
            await Connection._ask(self, method, path, query, *more)
        return await Connection._ask(self, method, path, query, *more)


class Heard(logging.Handler):
    """What the operators of the test have logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))  # with the error that it is about, if any

    def forbidden(self, namespace: str) -> list[str]:
        return [line for line in self.lines if "forbidden" in line and f":{namespace}:" in line]


@pytest.fixture
def heard() -> Iterator[Heard]:
    handler = Heard()
    logger = logging.getLogger("stoker")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    state = tmp_path_factory.mktemp("plane")
    flags = [OWNERS_ARE_GUARDED]
    with control_plane(kubebuilder_assets(), state, controllers=True, apiserver_flags=flags) as plane:
        yield plane.kubeconfig


@pytest.fixture
async def world(kubeconfig: Path) -> AsyncIterator[World]:
    async with inhabited(kubeconfig, _takes_its_time, with_groups=True) as made:
        await make_storage_class(made.connection)
        yield made


def _takes_its_time(node: ToyNode) -> None:
    fetches(node)
    node.task_seconds = {"fetch": 1.0}


@pytest.mark.timeout(900)
async def test_with_all_of_them_nothing_is_forbidden(world: World, heard: Heard) -> None:
    for has_groups in (False, True):
        async with _allowed(world, PERMISSIONS) as there:
            await _life(there, has_groups=has_groups)
            assert heard.forbidden(there.namespace) == []


@pytest.mark.timeout(1800)
async def test_each_verb_of_each_rule_is_missed_by_name(world: World, heard: Heard) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def tried(withheld: Withheld) -> str | None:
        async with gate, _allowed(world, withheld.rest()) as there:
            return None if await _is_missed(there, withheld, heard) else str(withheld)

    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(tried(withheld)) for withheld in ALL_OF_THEM]
    spare = [verb for task in tries if (verb := task.result())]
    assert not spare, "nothing breaks without " + ", ".join(spare)


@asynccontextmanager
async def _allowed(world: World, permissions: tuple[Permission, ...]) -> AsyncIterator[World]:
    """The world as an operator with these permissions alone sees it, in a namespace of its own."""
    namespace = f"allowed-{next(NUMBERS)}"
    await prepare(world.connection, namespace)
    for number in range(2):
        await make_volume(world.connection, f"{namespace}-{number}")
    account = await account_with(world.connection, world.credentials(), namespace, permissions)
    there = replace(world, namespace=namespace, credentials=lambda: account)
    yield there
    if there.name:
        with suppress(ApiError):
            await there.delete()


async def _is_missed(there: World, withheld: Withheld, heard: Heard) -> bool:
    """Ends as soon as it is said. A life that goes by without is no proof of anything but a verb to spare."""
    kind = withheld.permission
    life = (
        _candidacy(there) if kind.scope is Scope.OPERATOR else _life(there, has_groups=kind.resource == GROUPS.plural)
    )
    task = asyncio.create_task(life)

    async def said() -> bool:
        texts = list(heard.lines)
        with suppress(ApiError):  # there may be no model yet
            texts += [one["message"] for one in (await there.model()).get("status", {}).get("conditions", ())]
        return any(withheld.is_named_in(text, there.namespace) for text in texts)

    try:
        async with asyncio.timeout(LONGEST_LIFE_SECONDS):
            while not task.done():
                if await said():
                    return True
                await asyncio.sleep(0.25)
        return await said()
    except TimeoutError:
        return await said()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, ApiError, AssertionError, BaseExceptionGroup):
            await task


async def _life(there: World, *, has_groups: bool) -> None:
    work = operator(
        there.credentials, None, CONFIGURATION, namespace=there.namespace, has_groups=has_groups, kind=TwiceConnection
    )
    async with work, Connection.open(there.credentials()) as connection, _looking_around(there, connection):
        await (_life_of_groups(there) if has_groups else _life_of_pods(there, connection))


@asynccontextmanager
async def _looking_around(there: World, connection: Connection) -> AsyncIterator[None]:
    """At quotas, and at what another tool runs."""
    surroundings = Surroundings(connection, (there.namespace,), with_holders=False)
    theirs = Key(there.namespace, "theirs")
    surroundings.observed.follow({Reference("Deployment", theirs), Reference("StatefulSet", theirs)})
    task = asyncio.create_task(surroundings.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _life_of_pods(there: World, connection: Connection) -> None:
    claim = {"storageClassName": STORAGE_CLASS, "accessModes": ["ReadWriteMany"]}
    weights = {"storage": {"claim": claim}, "deletionPolicy": "Delete", "keepRevisions": 1}
    await there.create(2, model={"source": "hf://org/name@main"}, weights=weights)
    await there.until_settled(2)
    await _swept(there, connection)
    await _owners_come_back(there)
    await there.edit(weights=weights | {"deletionPolicy": "Retain"})
    await there.until(lambda: _claim_is_free(there), "the claim without an owner")
    await there.edit(replicas=1)
    await there.until_settled(1)
    for number in range(2, 4):
        await there.edit(engine={"name": "simulated", "image": f"localhost/simulated:{number}"})
        await there.until_settled(1)
    await there.edit(model={"source": "hf://org/other@main"})
    await there.until_settled(1)


async def _life_of_groups(there: World) -> None:
    engine = {"name": "simulated", "image": "localhost/simulated:1", "pipelineParallel": 2}
    await there.create(2, engine=engine)

    async def has(count: int) -> bool:
        return len(await there.of_model(GROUPS)) == count

    await there.until(lambda: has(2), "two groups")
    await there.edit(replicas=1)
    await there.until(lambda: has(1), "one group", LONGEST_LIFE_SECONDS)


async def _candidacy(there: World) -> None:
    settings = ElectionSettings(there.namespace, "stoker-operator", "first", 3, 2.0, 0.5, 0.9)

    @asynccontextmanager
    async def connected() -> AsyncIterator[Connection]:
        async with Connection.open(there.credentials()) as connection:
            yield connection

    async with Leadership(settings, connected), connected() as connection:
        freeze = asyncio.create_task(Freeze(connection, there.namespace, lambda: None).run())
        await asyncio.sleep(5)
        freeze.cancel()
        await asyncio.wait({freeze})


async def _swept(there: World, connection: Connection) -> None:
    """As after a watch that told nothing."""
    try:
        await Sweep(connection, Models(), (there.namespace,), lambda _: None).once(there.namespace)
    except ApiError as refused:
        logging.getLogger("stoker.sweep").warning("%s", refused)


async def _owners_come_back(there: World) -> None:
    """As after a deletion that left the children alone."""
    for resource in OWNED:
        (found,) = await there.of_model(resource)
        path = resource.path(Key(there.namespace, found["metadata"]["name"]))
        await there.connection.merge_patch(path, {"metadata": {"ownerReferences": None}})

        async def has_owner(path: str = path) -> bool:
            return bool((await there.connection.get(path))["metadata"].get("ownerReferences"))

        await there.until(has_owner, f"the owner of {path}")


async def _claim_is_free(there: World) -> bool:
    claim = await there.connection.get(resources.CLAIMS.path(Key(there.namespace, claim_name(there.name))))
    return not claim["metadata"].get("ownerReferences")
