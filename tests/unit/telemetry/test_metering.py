"""The operator's picture, measured and told: without a cluster, and with as many models as a fleet has."""

import time
from datetime import timedelta
from typing import Any, cast

from stoker.api.configuration import Configuration
from stoker.core.names import Tier
from stoker.core.plan.snapshot import Pod
from stoker.handlers.metering import Metering, Picture, prices_of
from stoker.handlers.scaler import Scaler
from stoker.kube.children import Child, Children
from stoker.kube.connection import Connection
from stoker.kube.models import Models
from stoker.kube.resources import Key
from stoker.kube.work_queue import WorkQueue
from stoker.signals.signals import Signals
from stoker.telemetry.meter import Meter
from stoker.telemetry.operator_series import OperatorSeries
from stoker.telemetry.page import Page
from stoker.telemetry.scrape import Scrape
from tests.unit.plan.builders import NOW
from tests.unit.telemetry.fleet import manifest, replica

PRICED = Configuration.model_validate_json('{"metrics": {"hourlyPrice": "2.5", "modelLabels": {"owner": "o"}}}')


async def _never(_: Key) -> None:
    return None


class Office:
    """What a leader works with, as far as it is measured."""

    def __init__(self, configuration: Configuration = PRICED) -> None:
        self.models = Models()
        # Nothing is asked of the API server before `run`.
        self.children = Children(cast("Connection", None), (), lambda _: None, with_groups=False)
        signals, queue = Signals(), WorkQueue(_never)
        scaler = Scaler(self.models, self.children, signals, configuration, lambda _: None)
        picture = Picture(self.models, self.children, signals, scaler, queue)
        self.metering = Metering(picture, configuration, Meter(prices_of(configuration)))
        self._version = 0

    def put(self, name: str, *pods: Pod, **changes: Any) -> None:
        self._version += 1
        self.models.put(manifest(name, uid="u", resourceVersion=str(self._version)) | changes)
        for pod in pods:
            self.children.pods._changed(Key("models", pod.identity.name), None, Child(name, pod))

    async def after(self, *seconds: float) -> Page:
        for second in seconds:
            await self.metering.measure(NOW + timedelta(seconds=second), second)
        return await self.metering.page()


def values(page: Page, name: str, **labels: str) -> list[float]:
    return [
        sample.value
        for family in page.collect()
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


async def test_what_a_model_holds_adds_up_between_two_measurements() -> None:
    office = Office()
    office.put("llama", replica("a"), replica("b", Tier.WARM))
    page = await office.after(0.0, 2.0, 4.0)
    assert values(page, "stoker_model_accelerator_seconds_total", state="serving") == [4.0]
    assert values(page, "stoker_model_accelerator_seconds_total", state="warm") == [4.0]
    assert values(page, "stoker_model_cost_total", state="warm") == [4.0 * 2.5 / 3600]
    assert values(page, "stoker_models") == [1.0]


async def test_the_series_of_a_model_that_is_deleted_are_gone_from_the_next_scrape_on() -> None:
    office = Office()
    office.put("llama", replica("a"))
    office.put("other")
    page = await office.after(0.0, 2.0)
    assert values(page, "stoker_model_info", model="llama") == [1.0]
    office.models.remove(Key("models", "llama"))
    page = await office.metering.page()
    assert [sample for family in page.collect() for sample in family.samples if "llama" in sample.labels.values()] == []
    assert values(page, "stoker_model_info", model="other") == [1.0]


async def test_an_owner_that_is_edited_shows_at_the_next_scrape() -> None:
    office = Office()
    office.put("llama")
    assert values(await office.after(0.0), "stoker_model_info", owner="") == [1.0]
    office.put("llama", metadata=manifest("llama", resourceVersion="7", labels={"o": "ads"})["metadata"])
    assert values(await office.after(2.0), "stoker_model_info", owner="ads") == [1.0]


async def test_a_model_that_makes_no_sense_does_not_hide_the_others(caplog: Any) -> None:
    office = Office()
    office.put("odd", spec=None)
    office.put("llama", replica("a"))
    page = await office.after(0.0, 2.0, 4.0)
    assert values(page, "stoker_model_info") == [1.0]
    assert len(caplog.records) == 1, "it is said once"


async def test_a_replica_that_makes_no_sense_stops_neither_the_operator_nor_the_others(caplog: Any) -> None:
    office = Office()
    office.put("odd", replica("x", devices=None))
    office.put("llama", replica("a"))
    page = await office.after(0.0, 2.0)
    assert values(page, "stoker_model_accelerator_seconds_total", model="llama") == [2.0]
    assert "odd: not measured" in caplog.text


async def test_nothing_measures_what_nobody_knows_the_price_of() -> None:
    office = Office(Configuration())
    office.put("llama", replica("a"))
    page = await office.after(0.0, 2.0)
    assert values(page, "stoker_model_cost_total") == []
    assert values(page, "stoker_model_accelerator_seconds_total") == [2.0]


async def test_a_thousand_models_with_5000_replicas_cost_little() -> None:
    """The thresholds are ten times what a busy machine was seen to need."""
    office = Office()
    for number in range(1000):
        name = f"model-{number}"
        office.put(name, *(replica(f"{name}-{index}") for index in range(5)))
    await office.after(0.0)
    began = time.process_time()
    await office.after(2.0)
    together = time.process_time() - began
    began = time.process_time()
    await office.metering.measure(NOW, 4.0)
    measured = time.process_time() - began
    scrape = Scrape(OperatorSeries("1").registry)
    scrape.page = office.metering.page
    began = time.process_time()
    text = await scrape.text()
    scraped = time.process_time() - began
    print(f"CPU of a measurement {1000 * measured:.0f} ms, with a page {1000 * together:.0f} ms")
    print(f"CPU of a scrape {1000 * scraped:.0f} ms, {len(text) / 1e6:.1f} MB, {text.count(b'}')} series")
    assert measured < 1.0
    assert scraped < 10.0


def test_a_look_is_measured_in_microseconds() -> None:
    operator, looks = OperatorSeries("1"), 20_000
    began = time.process_time()
    for _ in range(looks):
        with operator.looking():
            pass
    each = (time.process_time() - began) / looks
    print(f"{1e6 * each:.1f} µs of CPU a look")
    assert each < 0.0005
