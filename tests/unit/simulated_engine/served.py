"""A simulated engine that serves on loopback, and a client for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import aiohttp

from stoker_runtime.simulated.faults import Faults
from stoker_runtime.simulated.server import SimulatedServer
from stoker_runtime.simulated.settings import Settings
from stoker_runtime.simulated.timing import Replica, StepCost

# A step takes no time of its own, so that tests take none either.
INSTANT = Replica(StepCost(0.0, 0.0, 0.0, 0.0), kv_tokens=100_000, max_sequences=64, step_tokens=8192)
# Slow enough that a test can look at what runs.
SLOW = replace(INSTANT, cost=StepCost(0.005, 0.0, 0.0, 0.0))
DEFAULTS = Settings("m", INSTANT, port=0, context_length=4096, shutdown_timeout=5.0, development=True)
MESSAGES = [{"role": "user", "content": "Say something."}]
Json = dict[str, Any]


class Served:
    """Run with `async with`."""

    def __init__(self, **changes: Any) -> None:
        self.exit_codes: list[int] = []
        self._settings = replace(DEFAULTS, **changes)

    async def __aenter__(self) -> Self:
        self.server = SimulatedServer(self._settings, self.exit_codes.append)
        self.port = port = await self.server.start()
        self._client = aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=aiohttp.ClientTimeout(10))
        if not self._settings.start_seconds and self._settings.faults == Faults():
            await self.becomes_ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()
        await self.server.stop()

    async def becomes_ready(self) -> None:
        await self.comes_about("/health", 200)

    async def comes_about(self, path: str, status: int) -> None:
        async with asyncio.timeout(5):
            while (await self.get(path))[0] != status:  # noqa: ASYNC110 - what another process would do
                await asyncio.sleep(0.002)

    async def get(self, path: str) -> tuple[int, str]:
        async with self._client.get(path) as response:
            return response.status, await response.text()

    async def post(self, path: str, body: object = None, **options: Any) -> tuple[int, Json]:
        sent: dict[str, Any] = {"json": body} | options
        async with self._client.post(path, **sent) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else {}

    async def chat(self, **fields: Any) -> Json:
        status, body = await self.post("/v1/chat/completions", {"model": "m", "messages": MESSAGES} | fields)
        assert status == 200, body
        return body

    async def complete(self, **fields: Any) -> Json:
        status, body = await self.post("/v1/completions", {"model": "m", "prompt": "Once"} | fields)
        assert status == 200, body
        return body

    async def refusal(self, path: str, body: object, **options: Any) -> tuple[int, Json]:
        status, answer = await self.post(path, body, **options)
        assert status >= 400
        return status, answer["error"]

    @asynccontextmanager
    async def stream(self, path: str = "/v1/chat/completions", **fields: Any) -> AsyncIterator[AsyncIterator[Json]]:
        """The chunks as they come, to [DONE], which must be there."""
        request = {"model": "m", "messages": MESSAGES, "stream": True} | fields
        async with self._client.post(path, json=request) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            yield _events(response)

    async def streamed(self, path: str = "/v1/chat/completions", **fields: Any) -> list[Json]:
        async with self.stream(path, **fields) as events:
            return [event async for event in events]

    async def metric(self, sample: str) -> float:
        """The value of a sample, given as in the text but without the labels that all samples have."""
        status, text = await self.get("/metrics")
        assert status == 200
        wanted = sample.replace("{", "{," if "{" in sample else "{")
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if name.replace('engine="0",model_name="m"', "").replace("{}", "") == wanted:
                return float(value)
        raise AssertionError(f"no sample {sample}")

    async def until_metric(self, sample: str, value: float) -> None:
        async with asyncio.timeout(5):
            while await self.metric(sample) != value:  # noqa: ASYNC110 - what a scraper would do
                await asyncio.sleep(0.002)


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Json]:
    async for line in response.content:
        text = line.decode().strip()
        if text == "data: [DONE]":
            return
        if text:
            yield json.loads(text.removeprefix("data: "))
    raise AssertionError("the stream ended without [DONE]")


def text_of(events: list[Json]) -> str:
    return "".join(choice["delta"].get("content", "") for event in events for choice in event["choices"])


def reason_of(events: list[Json]) -> str:
    reasons = [choice["finish_reason"] for event in events for choice in event["choices"] if choice["finish_reason"]]
    assert len(reasons) == 1
    return str(reasons[0])
