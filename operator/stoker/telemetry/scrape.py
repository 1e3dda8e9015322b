"""The answer to a scrape. It is put together on the loop, in slices, and written as text on a thread."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain

from prometheus_client import CollectorRegistry, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric as Family

from stoker.telemetry.page import Page

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# A time of creation for each counter would double their series.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Scrape:
    """`pages` tells of what is known only where there is a leader; None: nobody leads here."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self.page: Callable[[], Awaitable[Page]] | None = None

    async def text(self) -> bytes:
        page = await self.page() if self.page else Page()
        return await asyncio.to_thread(generate_latest, _Joined(self._registry, page))


class _Joined(CollectorRegistry):
    def __init__(self, registry: CollectorRegistry, page: Page) -> None:
        super().__init__()
        self._parts = (registry, page)

    def collect(self) -> Iterator[Family]:
        registry, page = self._parts
        return chain(registry.collect(), page.collect())
