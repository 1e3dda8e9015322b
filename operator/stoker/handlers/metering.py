"""From the operator's picture of the cluster to its metrics: it is measured every two seconds and told at a scrape."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from stoker.api.configuration import Configuration
from stoker.core.follow.pools import products_of
from stoker.core.names import GPU_PRODUCT_LABEL
from stoker.core.scaling.observation import Reading
from stoker.handlers.scaler import Scaler
from stoker.kube.children import Children
from stoker.kube.models import Models
from stoker.kube.resources import Key
from stoker.kube.work_queue import WorkQueue
from stoker.signals.signals import Signals
from stoker.telemetry import catalogue
from stoker.telemetry.devices import Prices, held_by
from stoker.telemetry.meter import Meter
from stoker.telemetry.model_facts import ModelFacts, facts_of
from stoker.telemetry.model_series import ModelView, add_model
from stoker.telemetry.operator_series import OperatorSeries
from stoker.telemetry.page import Page
from stoker.telemetry.scrape import Scrape

logger = logging.getLogger(__name__)

METER_SECONDS = 2.0
_AT_ONCE = 20  # models between two turns of the event loop


class Telemetry:
    """What a process exports from its start on."""

    def __init__(self, version: str) -> None:
        self.operator = OperatorSeries(version)
        self.scrape = Scrape(self.operator.registry)

    def leads(self, page: Callable[[], Awaitable[Page]]) -> None:
        self.operator.leads()
        self.scrape.page = page


def prices_of(configuration: Configuration) -> Prices:
    by_product = {
        product.name: float(product.hourly_price.amount)
        for product in configuration.gpu_products
        if product.hourly_price is not None
    }
    other = configuration.metrics.hourly_price
    return Prices(by_product, None if other is None else float(other.amount))


@dataclass(frozen=True)
class Picture:
    """What a leader knows."""

    models: Models
    children: Children
    signals: Signals
    scaler: Scaler
    queue: WorkQueue[Key]


class Metering:
    """Runs while this process leads."""

    def __init__(self, picture: Picture, configuration: Configuration, meter: Meter[Key]) -> None:
        self._picture = picture
        self._labels = configuration.metrics.model_labels
        self._meter = meter
        self._facts: dict[Key, tuple[int, ModelFacts | None]] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        await self._picture.children.wait_until_synced()
        while True:
            await self.measure(datetime.now(UTC), loop.time())
            await asyncio.sleep(METER_SECONDS)

    async def measure(self, wall: datetime, now_seconds: float) -> None:
        """What every model holds now was held since the last time."""
        step_seconds = self._meter.passed(now_seconds)
        products = products_of(self._picture.children.nodes())
        for number, key in enumerate(self._picture.models):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                if facts := self._facts_of(key):
                    pods = self._picture.children.pods.of(key)
                    self._meter.hold(key, held_by(pods, facts.resource, products, self._in_flight), step_seconds)
                    self._meter.watch(key, pods, wall, now_seconds)
            except Exception:
                # Nothing that is told of the fleet is worth stopping what keeps it.
                logger.exception("%s: not measured", key)
        models = set(self._picture.models)
        self._meter.forget_all_but(models)
        self._facts = {key: facts for key, facts in self._facts.items() if key in models}

    async def page(self) -> Page:
        page = Page()
        products = products_of(self._picture.children.nodes())
        self._add_operator(page)
        self._add_fleet(page)
        for number, key in enumerate(self._picture.models):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if view := self._view(key):
                add_model(page, view, products)
        return page

    def _add_operator(self, page: Page) -> None:
        page.add(catalogue.QUEUE_DEPTH, len(self._picture.queue))
        page.add(catalogue.MODELS, len(self._picture.models))
        silence: dict[str, float] = {}
        objects: dict[str, int] = {}
        for reflector in self._picture.children.reflectors():
            resource = reflector.scope.resource.plural
            silence[resource] = max(silence.get(resource, 0.0), reflector.silence_seconds())
            objects[resource] = objects.get(resource, 0) + len(reflector)
        for resource, seconds in silence.items():
            page.add(catalogue.WATCH_SILENCE, seconds, resource)
            page.add(catalogue.WATCH_OBJECTS, objects[resource], resource)

    def _add_fleet(self, page: Page) -> None:
        devices: dict[tuple[str, str], int] = {}
        for node in self._picture.children.nodes() or ():
            for resource, amount in node.allocatable.items() if node.schedulable else ():
                of = (resource, node.labels.get(GPU_PRODUCT_LABEL, ""))
                devices[of] = devices.get(of, 0) + amount
        for (resource, product), amount in devices.items():
            page.add(catalogue.ACCELERATORS, amount, resource, product)
        for product in {product for _, product in devices} | set(self._meter.prices.by_product):
            page.add(catalogue.HOURLY_PRICE, self._meter.prices.of(product), product)

    def _view(self, key: Key) -> ModelView | None:
        facts = self._facts_of(key)
        if facts is None:
            return None
        scaler = self._picture.scaler
        return ModelView(
            key.namespace,
            key.name,
            facts,
            self._picture.children.pods.of(key),
            self._meter.account(key),
            scaler.scaled(key),
            scaler.explanation(key),
        )

    def _facts_of(self, key: Key) -> ModelFacts | None:
        """None where the object is gone, or makes no sense: then the others are told all the same."""
        version = self._picture.models.version(key)
        known = self._facts.get(key)
        if known and known[0] == version:
            return known[1]
        manifest = self._picture.models.get(key)
        try:
            facts = facts_of(manifest, self._labels) if manifest else None
        except (KeyError, TypeError, AttributeError):
            logger.exception("%s: cannot be read for metrics", key)
            facts = None
        self._facts[key] = (version, facts)
        return facts

    def _in_flight(self, uid: str) -> int | None:
        sighting = self._picture.signals.reading(uid)
        return sighting.load.in_flight if sighting.load and sighting.reading is Reading.KNOWN else None
