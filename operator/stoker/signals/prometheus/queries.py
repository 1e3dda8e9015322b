"""PromQL for one figure of the whole fleet.

    fresh(m)  = m and timestamp(m) > time() - stale_seconds
    value(m)  = max by (namespace, pod) (sum by (namespace, pod, SCRAPE) (fresh(m)))
    query     = value(m₁) or value(m₂) or …

A page may say one figure in several lines (engines, models, ranks), which belong together: they are added. The same
page may be there several times, by two jobs or two Prometheis: those differ in the labels that a scrape gives (SCRAPE),
of which the highest is taken, so that nothing counts twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from stoker.signals.prometheus.names import Series

# Of a target, and those by which a Prometheus says which of several it is.
_SCRAPE = (
    "cluster",
    "container",
    "endpoint",
    "exported_instance",
    "exported_job",
    "instance",
    "job",
    "monitor",
    "prometheus",
    "prometheus_replica",
    "receive",
    "replica",
    "service",
)


@dataclass(frozen=True, slots=True)
class Labels:
    """How the fleet is found among the series."""

    namespace: str = "namespace"
    pod: str = "pod"
    scrape: tuple[str, ...] = ()
    """More labels by which only scrapes differ."""
    equal: Mapping[str, str] = field(default_factory=dict)
    """Labels that all series of this fleet have, where a Prometheus knows several clusters."""


@dataclass(frozen=True, slots=True)
class Queries:
    labels: Labels
    stale_seconds: float

    def value(self, series: Sequence[Series], *, highest: bool = False) -> str:
        """A share has no sum: of several caches, the fullest."""
        by = ", ".join((self.labels.namespace, self.labels.pod, *_SCRAPE, *self.labels.scrape))
        return self._any("max" if highest else "sum", by, map(self._fresh, series))

    def scraped_at(self, series: Sequence[Series]) -> str:
        """When the newest sample was taken."""
        by = f"{self.labels.namespace}, {self.labels.pod}"
        return self._any("max", by, [f"timestamp({self._selected(each)})" for each in series])

    def late_scrapes(self, late_seconds: float) -> str:
        """Pods whose page did not come, though somebody waited for it."""
        up, took = self._selected(Series("up")), self._selected(Series("scrape_duration_seconds"))
        return self._any(
            "max", f"{self.labels.namespace}, {self.labels.pod}", [f"{took} >= {late_seconds:g} and {up} == 0"]
        )

    def _any(self, of_a_page: str, by: str, vectors: Iterable[str]) -> str:
        pods = f"{self.labels.namespace}, {self.labels.pod}"
        return " or ".join(f"max by ({pods}) ({of_a_page} by ({by}) ({vector}))" for vector in vectors)

    def _fresh(self, series: Series) -> str:
        selected = self._selected(series)
        return f"{selected} and timestamp({selected}) > time() - {self.stale_seconds:g}"

    def _selected(self, series: Series) -> str:
        matchers = [f"{name}={quoted(value)}" for name, value in sorted(self.labels.equal.items())]
        matchers += [series.matcher] if series.matcher else []
        matchers.append(f'{self.labels.pod}!=""')
        return f"{series.name}{{{','.join(matchers)}}}"


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
