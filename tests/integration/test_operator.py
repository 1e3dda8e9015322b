"""The operator on a real API server with the real controllers, and killed wherever it writes."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.modeldeployment import LONGEST_NAME
from stoker.core.plan.rollout.steps import Step
from stoker.kube import resources
from stoker.kube.connection import ApiError, Json, Query
from stoker.kube.resources import Key
from tests.integration.operator_under_test import NAMESPACE, CountedConnection, operator
from tests.integration.world import MODELS, WAIT_SECONDS, World, prepare

MOST_WRITES = 60
ROUNDS_AT_ONCE = 8
TRIALS_EACH = 13
LATE_SECONDS = 1.0


async def test_a_model_becomes_ready_and_a_second_look_writes_nothing(world: World) -> None:
    async with operator(world.credentials) as first:
        await world.create(3)
        await world.until_settled(3)
        await asyncio.sleep(0.5)
        assert first.line.writes
    async with operator(world.credentials) as second:
        await second.queue.wait_until_idle()
        await asyncio.sleep(2)
        assert second.line.writes == []


@pytest.mark.parametrize("late", ["nodes", "storageclasses", "pods"])
async def test_however_late_one_kind_is_listed_a_second_look_writes_nothing(world: World, late: str) -> None:
    class LateConnection(CountedConnection):
        async def each(self, path: str, take: Callable[[Json], object], query: Query | None = None) -> str:
            await asyncio.sleep(LATE_SECONDS if path.endswith(f"/{late}") else 0)
            return await super().each(path, take, query)

    async with operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
    async with operator(world.credentials, kind=LateConnection) as second:
        await asyncio.sleep(2 * LATE_SECONDS)
        await second.queue.wait_until_idle()
        assert second.line.writes == []


async def test_edits_that_need_no_restart_restart_nothing(world: World) -> None:
    async with operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
        before = await world.pods()
        await world.edit(priority=7, scaling={"maxReplicas": 9, "warmReplicas": 0}, weights={"keepRevisions": 3})
        await world.until_settled(2)
        assert await world.pods() == before


async def test_no_more_models_roll_out_at_once_than_may(world: World) -> None:
    one_by_one = Configuration.model_validate({"rollouts": {"provingSeconds": 0, "modelsAtOnce": 1}}, strict=False)
    fleet, most = [replace(world) for _ in range(3)], 0
    async with operator(world.credentials, configuration=one_by_one):
        await asyncio.gather(*(each.create(2) for each in fleet))
        await asyncio.gather(*(each.until_settled(2) for each in fleet))
        before, names = [await each.pods() for each in fleet], {each.name for each in fleet}
        await asyncio.gather(
            *(each.edit(engine={"name": "simulated", "image": "localhost/simulated:2"}) for each in fleet)
        )

        async def all_are_new() -> bool:
            nonlocal most
            # In one answer: read one after the other, one could end and the next begin in between.
            found = [model["status"] for model in await world.models() if model["metadata"]["name"] in names]
            states = [[row["state"] for row in status["revisions"]] for status in found]
            most = max(most, sum(bool(set(Step).intersection(rows)) for rows in states))
            after = [await each.pods() for each in fleet]
            return all(len(new) == 2 and not new & old for new, old in zip(after, before, strict=True))

        await world.until(all_are_new, "three rollouts")
        assert most == 1
        await asyncio.gather(*(each.delete() for each in fleet))


async def test_another_version_with_other_defaults_keeps_every_pod_and_says_what_is_new(world: World) -> None:
    async with operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
        before = await world.pods()
    newer = Configuration.model_validate({"pods": {"startupSeconds": 99}}, strict=False)
    async with operator(world.credentials, configuration=newer, version="2.0.0"):
        await world.until(lambda: _says(world, "UpdateAvailable", "True"), "UpdateAvailable")
        assert await world.pods() == before
        await world.connection.merge_patch(
            MODELS.path(Key(NAMESPACE, world.name)),
            {"metadata": {"annotations": {"stoker.dev/restarted-at": "now"}}},
        )
        await world.until(lambda: _says(world, "UpdateAvailable", "False"), "the new defaults")
        await world.until_settled(2)
        assert not before & await world.pods()


async def _says(world: World, condition: str, status: str) -> bool:
    found = (await world.model()).get("status", {}).get("conditions", ())
    return any((one["type"], one["status"]) == (condition, status) for one in found)


@pytest.mark.parametrize("subresource", ["", "/scale"], ids=["by hand", "as an autoscaler does"])
async def test_a_change_of_a_count_is_put_back_once_and_then_contested(world: World, subresource: str) -> None:
    async with operator(world.credentials):
        await world.create(2)
        await world.until_settled(2)
        (owner,) = await world.of_model(resources.REPLICA_SETS)
        four, somebody = {"spec": {"replicas": 4}}, {"fieldManager": "somebody"}
        path = resources.REPLICA_SETS.path(Key(NAMESPACE, owner["metadata"]["name"]))
        await world.connection.merge_patch(path + subresource, four, somebody)
        await world.until_settled(2)
        await world.connection.merge_patch(path + subresource, four, somebody)
        await world.until(lambda: _says(world, "Stalled", "True"), "the contest")
        stalled = next(one for one in (await world.model())["status"]["conditions"] if one["type"] == "Stalled")
        assert stalled["reason"] == "Contested"
        assert "somebody" in stalled["message"]
        assert (await world.connection.get(path))["spec"]["replicas"] == 4


async def test_a_selector_that_was_changed_by_hand_is_put_back_also_where_something_was_added(world: World) -> None:
    async with operator(world.credentials):
        await world.create(1)
        await world.until_settled(1)
        path = resources.SERVICES.path(Key(NAMESPACE, world.name))
        wanted = (await world.connection.get(path))["spec"]["selector"]
        patch = {"spec": {"selector": {"stoker.dev/tier": "warm", "added": "label"}}}
        await world.connection.merge_patch(path, patch, {"fieldManager": "somebody"})

        async def put_back() -> bool:
            return bool((await world.connection.get(path))["spec"]["selector"] == wanted)

        await world.until(put_back, "the selector")


async def test_a_service_that_is_changed_after_every_mending_is_contested_and_an_edit_of_the_spec_is_no_contest(
    world: World,
) -> None:
    async with operator(world.credentials):
        await world.create(1)
        await world.until_settled(1)
        await world.edit(replicas=2)
        await world.until_settled(2)
        path = resources.SERVICES.path(Key(NAMESPACE, world.name))
        wanted = (await world.connection.get(path))["spec"]["selector"]

        async def put_back() -> bool:
            return bool((await world.connection.get(path))["spec"]["selector"] == wanted)

        for tier in ("warm", "asleep"):
            patch = {"spec": {"selector": {"stoker.dev/tier": tier}}}
            await world.connection.merge_patch(path, patch, {"fieldManager": "somebody"})
            if tier == "warm":
                await world.until(put_back, "the selector")
        await world.until(lambda: _says(world, "Stalled", "True"), "the contest")
        assert (await world.connection.get(path))["spec"]["selector"]["stoker.dev/tier"] == "asleep"


async def test_somebody_elses_service_is_left_alone_and_named(world: World) -> None:
    async with operator(world.credentials):
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "taken"},
            "spec": {"ports": [{"port": 1}], "selector": {"mine": "yes"}},
        }
        await world.connection.post(resources.SERVICES.collection(NAMESPACE), service)
        manifest = {
            "apiVersion": "stoker.dev/v1alpha1",
            "kind": "ModelDeployment",
            "metadata": {"name": "taken", "namespace": NAMESPACE},
            "spec": {
                "model": {"source": "pvc://weights/tiny"},
                "engine": {"name": "simulated", "image": "localhost/simulated:1"},
                "scaling": {"maxReplicas": 2},
            },
        }
        world.name = "taken"
        await world.connection.post(MODELS.collection(NAMESPACE), manifest)
        await world.until(lambda: _says(world, "Stalled", "True"), "the refusal")
        stalled = next(one for one in (await world.model())["status"]["conditions"] if one["type"] == "Stalled")
        assert stalled["reason"] == "ObjectInTheWay"
        assert "Service taken" in stalled["message"]
        found = await world.connection.get(resources.SERVICES.path(Key(NAMESPACE, "taken")))
        assert found["spec"]["selector"] == {"mine": "yes"}


async def test_a_model_that_is_deleted_without_its_children_finds_them_again(world: World) -> None:
    async with operator(world.credentials):
        # The API server writes such characters otherwise than most, and compares revisions byte by byte.
        engine = {
            "name": "simulated",
            "image": "localhost/simulated:1",
            "env": [{"name": "A", "value": "<é> & \u2028"}],
        }
        await world.create(2, engine=engine)
        await world.until_settled(2)
        before, manifest = await world.pods(), await world.model()
        path = MODELS.path(Key(NAMESPACE, world.name))
        await world.connection.delete(path, {"propagationPolicy": "Orphan"})

        async def gone() -> bool:
            with suppress(ApiError):
                await world.connection.get(path)
                return False
            return True

        await world.until(gone, "the deletion", seconds=150)
        assert await world.pods() == before
        fresh = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": {"name": world.name, "namespace": NAMESPACE},
            "spec": manifest["spec"],
        }
        await world.connection.post(MODELS.collection(NAMESPACE), fresh)
        await world.until_settled(2)
        assert await world.pods() == before


async def test_the_longest_names_work_and_a_namespace_that_is_deleted_takes_its_model_along(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    there = replace(world, namespace="n" * 63)
    await prepare(world.connection, there.namespace)
    async with operator(world.credentials, namespace=there.namespace) as observed:
        env = [{"name": "GREETING", "value": "¡hola! 世界 \U0001f44b"}]
        engine = {"name": "simulated", "image": "localhost/simulated:1", "env": env}
        await there.create(2, "m" * LONGEST_NAME, engine=engine)
        await there.until_settled(2)
        await world.connection.delete(f"/api/v1/namespaces/{there.namespace}", {})

        async def gone() -> bool:
            with suppress(ApiError):
                await world.connection.get(f"/api/v1/namespaces/{there.namespace}")
                return False
            return True

        async with asyncio.timeout(WAIT_SECONDS):
            while not await gone():  # noqa: ASYNC110 - the cluster decides when
                await asyncio.sleep(0.1)
        await observed.queue.wait_until_idle()
        assert len(observed.models) == 0
    assert not [line for line in caplog.messages if "failed; again" in line]
