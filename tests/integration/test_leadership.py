"""Leadership against a real API server: what it makes of the Lease, and how fast another leads."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from stoker.kube.connection import Connection, Json, credentials_from
from stoker.kube.leadership import Leadership, LeaseServer
from stoker.kube.lease import LEASES, ElectionSettings
from stoker.kube.resources import Key
from tests.integration.api_server import ApiServer

KEY = Key("default", "stoker-operator")
DEFAULT = ElectionSettings(KEY.namespace, KEY.name, "first")
QUICK = replace(DEFAULT, lease_seconds=3, renew_deadline_seconds=2.0, retry_seconds=0.5, request_timeout_seconds=0.9)
# What the API server and a busy machine may add to the times that are promised.
SLACK_SECONDS = 1.0


class Cable:
    """The way to the API server. Once it is cut, the other side sees what it sees of a process that was killed."""

    def __init__(self, api: ApiServer) -> None:
        self._kubeconfig = api.kubeconfig
        self.cut = False

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[LeaseServer]:
        credentials = await credentials_from(self._kubeconfig)
        async with Connection.open(credentials, request_timeout_seconds=5) as connection:
            yield _Through(self, connection)


class _Through:
    def __init__(self, cable: Cable, connection: Connection) -> None:
        self._cable, self._connection = cable, connection

    async def get(self, path: str) -> Json:
        await self._pass()
        return await self._connection.get(path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        await self._pass()
        return await self._connection.post(path, body)

    async def put(self, path: str, body: Mapping[str, Any]) -> Json:
        await self._pass()
        return await self._connection.put(path, body)

    async def _pass(self) -> None:
        if self._cable.cut:
            await asyncio.sleep(3600)


def standing(
    api: ApiServer, settings: ElectionSettings, identity: str, cable: Cable | None = None
) -> AbstractAsyncContextManager[Leadership]:
    return Leadership(replace(settings, identity=identity), (cable or Cable(api)).connected)


def lease_of(api: ApiServer) -> Json:
    spec: Json = api.ask("GET", LEASES.path(KEY)).body["spec"]
    return spec


async def seconds_until(happened: Callable[[], bool]) -> float:
    began = time.monotonic()
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - threads and the API server decide when
            await asyncio.sleep(0.01)
    return time.monotonic() - began


@pytest.fixture
def clean(bare_api: ApiServer) -> ApiServer:
    bare_api.ask("DELETE", LEASES.path(KEY))
    return bare_api


async def test_the_api_server_takes_the_lease_as_it_is_written(clean: ApiServer) -> None:
    async with standing(clean, QUICK, "first") as first:
        await first.wait_until_held()
        created = lease_of(clean)
        assert created["holderIdentity"] == "first"
        assert created["leaseDurationSeconds"] == 3
        assert created["leaseTransitions"] == 0
        assert created["acquireTime"] == created["renewTime"]
        await seconds_until(lambda: lease_of(clean)["renewTime"] > created["renewTime"])
        assert lease_of(clean) | {"renewTime": ""} == created | {"renewTime": ""}
    released = lease_of(clean)
    assert released["holderIdentity"] == ""
    assert released["leaseDurationSeconds"] == 1


async def test_another_leads_within_the_retry_time_after_a_release_with_the_default_times(clean: ApiServer) -> None:
    async with AsyncExitStack() as leaving:
        first = await leaving.enter_async_context(standing(clean, DEFAULT, "first"))
        await first.wait_until_held()
        async with standing(clean, DEFAULT, "second") as second:
            await asyncio.sleep(2.5)
            assert (first.held(), second.held()) == (True, False)
            await leaving.aclose()
            assert not first.held()
            assert await seconds_until(second.held) <= DEFAULT.retry_seconds + SLACK_SECONDS


async def test_another_leads_after_lease_and_retry_time_when_the_leader_is_cut_off(clean: ApiServer) -> None:
    cable = Cable(clean)
    async with standing(clean, QUICK, "first", cable) as first:
        await first.wait_until_held()
        async with standing(clean, QUICK, "second") as second:
            await asyncio.sleep(2)
            cable.cut = True
            assert await seconds_until(lambda: not first.held()) <= QUICK.renew_deadline_seconds + 0.2
            assert not second.held()
            assert "in time" in await first.wait_until_lost()
            waited = await seconds_until(second.held)
            assert QUICK.renew_deadline_seconds + waited <= QUICK.lease_seconds + QUICK.retry_seconds + SLACK_SECONDS
            assert lease_of(clean)["holderIdentity"] == "second"
            assert lease_of(clean)["leaseTransitions"] == 1


async def test_of_many_candidates_one_leads_and_each_has_its_turn(clean: ApiServer) -> None:
    stacks = {f"c{index}": AsyncExitStack() for index in range(5)}
    candidates = {name: await stack.enter_async_context(standing(clean, QUICK, name)) for name, stack in stacks.items()}
    for turn in range(5):
        await seconds_until(lambda: any(candidate.held() for candidate in candidates.values()))
        (leader,) = [name for name, candidate in candidates.items() if candidate.held()]
        assert lease_of(clean)["holderIdentity"] == leader
        assert lease_of(clean)["leaseTransitions"] == turn
        del candidates[leader]
        await stacks[leader].aclose()


@pytest.mark.parametrize("change", ["deleted", "emptied"])
async def test_a_leader_whose_lease_is_taken_from_it_leads_no_more(clean: ApiServer, change: str) -> None:
    async with standing(clean, QUICK, "first") as first:
        await first.wait_until_held()
        if change == "deleted":
            clean.ask("DELETE", LEASES.path(KEY))
        else:
            patch = {"spec": {"holderIdentity": ""}}
            assert clean.ask("PATCH", LEASES.path(KEY), patch, "application/merge-patch+json").status == 200
        async with asyncio.timeout(QUICK.retry_seconds + SLACK_SECONDS):
            assert change in await first.wait_until_lost()


async def test_a_namespace_that_does_not_exist_is_named(clean: ApiServer, caplog: pytest.LogCaptureFixture) -> None:
    async with standing(clean, replace(QUICK, namespace="nowhere"), "first") as first:
        await seconds_until(lambda: bool(caplog.messages))
        assert not first.held()
    (message,) = caplog.messages
    assert message == (
        'first stands by: cannot create lease nowhere/stoker-operator: 404 NotFound: namespaces "nowhere" not found. '
        "Create namespace nowhere, or configure another one for the lease"
    )
