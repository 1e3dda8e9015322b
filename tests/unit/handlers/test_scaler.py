"""The live loop, without a cluster: models as the API server tells them, and no pods."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from stoker.api.configuration import Configuration
from stoker.core.follow.replicas import Moment
from stoker.core.plan.snapshot import Pod
from stoker.core.scaling.observation import Reading
from stoker.handlers.scaler import Scaler
from stoker.kube.children import Children
from stoker.kube.connection import Connection
from stoker.kube.models import Models
from stoker.kube.resources import Key
from stoker.signals.sighting import Sighting
from stoker.signals.signals import Signals
from stoker.signals.target import Target
from tests.unit.follow.builders import load
from tests.unit.plan.builders import pod, replica_set
from tests.virtual_time import run_in_virtual_time

KEY = Key("models", "llama")


def manifest(version: int, **scaling: Any) -> dict[str, Any]:
    metadata = {"name": KEY.name, "namespace": KEY.namespace, "uid": "u", "resourceVersion": str(version)}
    spec = {"model": {"source": "pvc://weights/llama"}, "replicas": 2, "scaling": {"maxReplicas": 4} | scaling}
    kind = {"apiVersion": "stoker.dev/v1alpha1", "kind": "ModelDeployment"}
    return kind | {"metadata": metadata | {"generation": 1}, "spec": spec}


class CountedModels(Models):
    """Counts how often an object is taken out, which is when it is read."""

    read = 0

    def get(self, key: Key) -> dict[str, Any] | None:
        self.read += 1
        return super().get(key)


class Loop:
    def __init__(self, signals: Signals | None = None) -> None:
        self.models, self.looked_at = CountedModels(), list[Key]()
        # Nothing is asked of the API server before `run`.
        self.children = Children(cast("Connection", None), (), self.looked_at.append, with_groups=False)
        self.scaler = Scaler(self.models, self.children, signals or Signals(), Configuration(), self.looked_at.append)
        self._ticks = 0

    async def tick(self) -> None:
        self._ticks += 1
        elapsed = 2.0 * self._ticks
        wall = datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=elapsed)
        await self.scaler.tick(Moment(wall, 1000.0 + elapsed))


@pytest.mark.parametrize("mode", ["Off", "Auto"])
async def test_an_object_that_has_not_changed_is_read_once(mode: str) -> None:
    loop = Loop()
    loop.models.put(manifest(1, mode=mode))
    for _ in range(3):
        await loop.tick()
    assert loop.models.read == 1


async def test_the_number_is_the_spec_s_where_scaling_is_off_and_is_decided_once_it_is_on() -> None:
    loop = Loop()
    loop.models.put(manifest(1, mode="Off"))
    await loop.tick()
    assert loop.scaler.scaled(KEY) is None
    loop.models.put(manifest(2, mode="Auto"))
    await loop.tick()
    decided = loop.scaler.scaled(KEY)
    assert decided
    assert decided.serving == 2
    assert loop.looked_at == [KEY]
    loop.models.put(manifest(3, mode="Off"))
    await loop.tick()
    assert loop.scaler.scaled(KEY) is None


async def test_a_model_that_is_gone_is_forgotten() -> None:
    loop = Loop()
    loop.models.put(manifest(1))
    await loop.tick()
    loop.models.remove(KEY)
    await loop.tick()
    assert loop.scaler.scaled(KEY) is None


def test_a_tick_that_fails_ends_nothing_and_the_next_one_decides(caplog: pytest.LogCaptureFixture) -> None:
    class FailingOnce(Signals):
        follows = 0

        def follow(self, targets: Iterable[Target]) -> None:
            self.follows += 1
            if self.follows == 1:
                raise RuntimeError("nobody thought of this")
            super().follow(targets)

    async def ticks() -> Loop:
        loop = Loop(FailingOnce())
        loop.models.put(manifest(1))
        for reflector in (*loop.children.reflectors(), *loop.children.of_the_cluster()):
            reflector._synced.set()
            reflector._answered.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(loop.scaler.run(), 5)
        return loop

    assert run_in_virtual_time(ticks()).scaler.scaled(KEY)
    assert "nobody thought of this" in caplog.text


class TwoQuietPods:
    """Ready, and without a request."""

    def of(self, _key: Key) -> tuple[Pod, ...]:
        return tuple(pod(f"llama-{number}", replica_set("r", 2), ip="10.0.0.1", agent_port=1) for number in range(2))


class AllKnown(Signals):
    def reading(self, _uid: str) -> Sighting:
        return Sighting(Reading.KNOWN, load(), 0.0)


async def test_a_decision_keeps_its_time_until_there_is_another_one() -> None:
    loop = Loop(AllKnown())
    loop.children.pods = cast("Any", TwoQuietPods())
    loop.models.put(manifest(1) | {"status": {"desiredReplicas": 1, "scaling": {}}})
    times = []
    for _ in range(3):
        await loop.tick()
        decided = loop.scaler.scaled(KEY)
        assert decided
        assert decided.memory
        times.append(decided.memory.decision_time)
    assert times == ["2026-11-21T00:00:02Z"] * 3


class BusyAfterAWhile(Signals):
    """Two requests in each replica, from the tenth look on."""

    looks = 0

    def reading(self, _uid: str) -> Sighting:
        self.looks += 1
        return Sighting(Reading.KNOWN, load(in_flight=2 if self.looks > 10 else 0, at_seconds=1000.0), 0.0)


async def test_a_load_that_changed_once_and_stayed_is_told_within_half_a_minute() -> None:
    loop = Loop(BusyAfterAWhile())
    loop.children.pods = cast("Any", TwoQuietPods())
    loop.models.put(manifest(1))
    for _ in range(40):
        await loop.tick()
    decided = loop.scaler.scaled(KEY)
    assert decided
    assert decided.running_requests == 4
    assert len(loop.looked_at) == 2, "once for the first decision, and once for the load"


async def test_a_workload_of_another_tool_is_decided_about_though_nothing_tells_of_it() -> None:
    loop = Loop()
    loop.models.put(manifest(1, mode="Observe", targetRef={"kind": "Deployment", "name": "theirs"}))
    await loop.tick()
    decided = loop.scaler.scaled(KEY)
    assert decided
    assert decided.active is None


class OneThatStarts:
    """A pod that is looked at in vain until it is ready."""

    ready = False

    def of(self, key: Key) -> tuple[Pod, ...]:
        return (replace(TwoQuietPods().of(key)[0], ready=self.ready),)


async def test_what_starts_is_looked_at_on_every_tick_so_that_its_first_request_is_seen_in_time() -> None:
    loop, pods = Loop(AllKnown()), OneThatStarts()
    loop.children.pods = cast("Any", pods)
    one = manifest(1)
    loop.models.put(one | {"spec": one["spec"] | {"replicas": 1}, "status": {"desiredReplicas": 1, "scaling": {}}})
    for _ in range(8):
        await loop.tick()
    pods.ready = True
    await loop.tick()
    explained = loop.scaler.explanation(KEY)
    assert explained
    assert (explained.ready, explained.starting) == (1, 0)
