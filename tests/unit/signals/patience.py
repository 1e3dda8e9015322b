"""Waiting for what other threads and processes bring about."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - nobody there could set an event
            await asyncio.sleep(0.01)
