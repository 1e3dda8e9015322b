"""The reflector against a real API server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stoker.kube.connection import ApiError, Connection, credentials_from
from stoker.kube.reflector import Reflector, Scope
from stoker.kube.resources import EVENTS, Key, Resource
from tests.beside import working
from tests.integration.api_server import ApiServer

CONFIG_MAPS = Resource("", "v1", "configmaps")
PATH = "/api/v1/namespaces/default/configmaps"


def config_map(name: str, value: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": {"of": "test"}},
        "data": {"x": value},
    }


class Followed:
    """A running reflector, and a way to wait for what it should know."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None, str | None]] = []
        self.reflector: Reflector[str] | None = None

    def note(self, key: Key, old: str | None, new: str | None) -> None:
        self.told.append((key.name, old, new))

    async def until(self, expected: Mapping[str, str]) -> None:
        assert self.reflector is not None
        async with asyncio.timeout(20):
            while self.picture() != expected:  # noqa: ASYNC110 - the API server decides when
                await asyncio.sleep(0.01)

    def picture(self) -> dict[str, str]:
        assert self.reflector is not None
        return {key.name: value for key, value in self.reflector.items()}


@asynccontextmanager
async def following(api: ApiServer) -> AsyncIterator[Followed]:
    followed = Followed()
    async with Connection.open(await credentials_from(api.kubeconfig)) as connection:
        scope = Scope(CONFIG_MAPS, "default", label_selector="of=test")
        followed.reflector = Reflector(connection, scope, lambda item: str(item["data"]["x"]), followed.note)
        async with working(followed.reflector.run()):
            yield followed


@pytest.fixture
def clean(bare_api: ApiServer) -> ApiServer:
    bare_api.ask("DELETE", f"{PATH}?labelSelector=of=test")
    return bare_api


async def test_objects_of_the_api_server_are_listed_and_followed(clean: ApiServer) -> None:
    clean.ask("POST", PATH, config_map("before", "1"))
    async with following(clean) as followed:
        await followed.until({"before": "1"})
        clean.ask("POST", PATH, config_map("after", "2"))
        await followed.until({"before": "1", "after": "2"})
        clean.ask("PATCH", f"{PATH}/after", {"data": {"x": "3"}}, "application/merge-patch+json")
        clean.ask("DELETE", f"{PATH}/before")
        await followed.until({"after": "3"})
    assert followed.told == [
        ("before", None, "1"),
        ("after", None, "2"),
        ("after", "2", "3"),
        ("before", "1", None),
    ]


async def test_a_selector_lets_an_object_go_when_it_no_longer_matches(clean: ApiServer) -> None:
    clean.ask("POST", PATH, config_map("leaves", "1"))
    async with following(clean) as followed:
        await followed.until({"leaves": "1"})
        relabelled = {"metadata": {"labels": {"of": "another"}}}
        clean.ask("PATCH", f"{PATH}/leaves", relabelled, "application/merge-patch+json")
        await followed.until({})
    clean.ask("DELETE", f"{PATH}/leaves")


async def test_more_objects_than_a_page_holds_make_one_picture(
    clean: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoker.kube.connection.PAGE_SIZE", 7)
    names = [f"many-{index:02}" for index in range(20)]
    for name in names:
        clean.ask("POST", PATH, config_map(name, "x"))
    async with following(clean) as followed:
        await followed.until(dict.fromkeys(names, "x"))


async def test_a_kind_without_bookmarks_that_says_nothing_is_quiet_and_not_broken(
    bare_api: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The API server caches no Events, so it sends no bookmarks of them."""
    async with Connection.open(await credentials_from(bare_api.kubeconfig)) as connection:
        quiet = Scope(EVENTS, "kube-public")
        reflector = Reflector(connection, quiet, dict, lambda *_: None, silent_seconds=3.5, watch_seconds=(2, 2))
        task = asyncio.create_task(reflector.run())
        await reflector.wait_until_synced()
        await asyncio.sleep(5)
        assert reflector.silence_seconds() < 2.5
        task.cancel()
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []


async def test_an_error_of_the_api_server_keeps_its_reason(clean: ApiServer) -> None:
    async with Connection.open(await credentials_from(clean.kubeconfig)) as connection:
        with pytest.raises(ApiError) as refused:
            await connection.get(CONFIG_MAPS.path(Key("default", "nobody")))
    assert (refused.value.status, refused.value.reason) == (404, "NotFound")
    assert not refused.value.passing
