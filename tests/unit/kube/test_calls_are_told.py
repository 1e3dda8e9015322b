"""Whoever asks is told of every request: its verb, its answer and how long it took."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.aio.client import Configuration

from stoker.kube.connection import ApiError, ApiUnreachableError, Connection

Call = tuple[str, int | None]


async def answer(request: web.Request) -> web.StreamResponse:
    if request.path == "/away":
        assert request.transport
        request.transport.close()
    if request.path == "/watch":
        return web.Response(text='{"type": "BOOKMARK"}\n')
    status = 409 if request.path == "/conflict" else 200
    return web.json_response({"reason": "Conflict", "message": "as scripted"}, status=status)


async def test_answers_refusals_and_silence_are_told_and_a_watch_once_it_begins() -> None:
    told: list[Call] = []

    def note(method: str, status: int | None, seconds: float) -> None:
        assert seconds >= 0
        told.append((method, status))

    application = web.Application()
    application.router.add_route("*", "/{path}", answer)
    async with TestServer(application) as server:
        credentials = Configuration()
        credentials.host = str(server.make_url("")).rstrip("/")
        async with Connection.open(credentials, told=note) as connection:
            await connection.get("/there")
            with pytest.raises(ApiError):
                await connection.merge_patch("/conflict", {})
            with pytest.raises(ApiUnreachableError):
                await connection.delete("/away", {})
            async with connection.stream("/watch", {}, silent_seconds=5) as events:
                assert [event["type"] async for event in events] == ["BOOKMARK"]
            with pytest.raises(ApiUnreachableError):
                async with connection.stream("/away", {}, silent_seconds=5):
                    pytest.fail("nobody answers")
    assert told == [("GET", 200), ("PATCH", 409), ("DELETE", None), ("WATCH", 200), ("WATCH", None)]
