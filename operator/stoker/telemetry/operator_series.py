"""What the operator counts of its own work, whether it leads or stands by."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector

from stoker.telemetry import catalogue
from stoker.telemetry.catalogue import Metric

_VERBS = {"GET": "get", "POST": "post", "PUT": "put", "PATCH": "patch", "DELETE": "delete", "WATCH": "watch"}


class Look:
    """One look at one model; whoever looks says when it ended in another way than well."""

    outcome = "done"


class OperatorSeries:
    """In a registry of its own, so that nothing of a library slips in."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        info = self._gauge(catalogue.OPERATOR_INFO)
        info.labels(version).set(1)
        self._leader = self._gauge(catalogue.LEADER)
        self._leader.set(0)
        self._looks = self._histogram(catalogue.LOOK_SECONDS)
        self._calls = Counter(
            catalogue.API_CALLS.name, catalogue.API_CALLS.meaning, catalogue.API_CALLS.labels, registry=self.registry
        )
        self._call_seconds = self._histogram(catalogue.API_SECONDS)

    def leads(self) -> None:
        self._leader.set(1)

    def called(self, method: str, status: int | None, seconds: float) -> None:
        """A request to the API server."""
        verb = _VERBS.get(method, "other")
        self._calls.labels(verb, "none" if status is None else str(status)).inc()
        self._call_seconds.labels(verb).observe(seconds)

    @contextmanager
    def looking(self) -> Iterator[Look]:
        look, began = Look(), monotonic()
        try:
            yield look
        except Exception:
            look.outcome = "failed"
            raise
        finally:
            self._looks.labels(look.outcome).observe(monotonic() - began)

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.meaning, metric.labels, registry=self.registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(metric.name, metric.meaning, metric.labels, buckets=metric.bounds, registry=self.registry)
