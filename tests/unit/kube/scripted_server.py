"""An API server for one kind of object that misbehaves as its script says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kubernetes.aio.client import Configuration

from stoker.kube.connection import Connection

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def item(name: str, version: int | str, **data: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "ns", "name": name, "resourceVersion": str(version)}, "data": data}


def end_of(asked: int) -> str:
    """Name of an object that ends what a hanging watch has to say, so that a test knows when all of it has arrived."""
    return f"end-{asked}"


def listing(version: int, *items: dict[str, Any], more: str = "") -> Handler:
    """Answers a LIST."""
    body = {"metadata": {"resourceVersion": str(version), "continue": more}, "items": list(items)}

    async def answer(request: web.Request) -> web.StreamResponse:
        assert "watch" not in request.query, "a WATCH came where the script expects a LIST"
        return web.json_response(body)

    return answer


def refusal(status: int, reason: str, retry_after: str | None = None) -> Handler:
    """Answers anything with an error."""

    async def answer(_: web.Request) -> web.StreamResponse:
        headers = {"Retry-After": retry_after} if retry_after else None
        return web.json_response({"reason": reason, "message": "as scripted"}, status=status, headers=headers)

    return answer


def watching(
    *events: tuple[str, dict[str, Any]], then: str = "hang", raw: bytes = b"", after_seconds: float = 0
) -> Handler:
    """Answers a WATCH with events, then hangs, ends properly, or drops the connection."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.query["watch"] == "1", "a LIST came where the script expects a WATCH"
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        versions = [subject["metadata"]["resourceVersion"] for _, subject in events if "metadata" in subject]
        end = ("ADDED", item(end_of(request["asked"]), versions[-1] if versions else request.query["resourceVersion"]))
        for kind, subject in (*events, end) if then == "hang" and not raw else events:
            await response.write(json.dumps({"type": kind, "object": subject}).encode() + b"\n")
        if raw:
            await response.write(raw)
        await asyncio.sleep(60 if then == "hang" else after_seconds)
        if then == "drop" and request.transport is not None:
            request.transport.abort()
        return response

    return answer


class ScriptedServer:
    """Plays its answers in order and keeps what it was asked. After the last answer it hangs."""

    def __init__(self, *script: Handler) -> None:
        self._script = list(script)
        self.asked: list[dict[str, str]] = []
        self._changed = asyncio.Condition()

    async def was_asked(self, times: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= times)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        async with self._changed:
            self.asked.append(dict(request.query))
            request["asked"] = len(self.asked)
            self._changed.notify_all()
        if not self._script:
            await asyncio.sleep(60)
        return await self._script.pop(0)(request)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Connection]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        # Its handlers hang on purpose: they are cut, not waited for.
        runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        credentials = Configuration()
        host, port = runner.addresses[0][:2]
        credentials.host = f"http://{host}:{port}"
        try:
            async with Connection.open(credentials) as connection:
                yield connection
        finally:
            await runner.cleanup()
