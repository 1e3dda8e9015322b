"""One answer to a scrape: samples of the catalogue's metrics, family by family."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family

from stoker.telemetry.catalogue import Kind, Metric


@dataclass
class Counted:
    """What fell below each bound; the last count is of all above."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> Iterator[tuple[str, float]]:
        sum_so_far = 0
        for bound, count in zip((*self.bounds, "+Inf"), self.counts, strict=True):
            sum_so_far += count
            yield str(bound), float(sum_so_far)


class Page:
    """What is unknown has no sample."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}

    def add(self, metric: Metric, value: float | None, *labels: str) -> None:
        if value is not None:
            self._family(metric).add_metric(labels, value)  # type: ignore[attr-defined]

    def add_info(self, metric: Metric, labels: Sequence[str], more: Sequence[tuple[str, str]]) -> None:
        """With labels besides those of the catalogue."""
        family = self._family(metric)
        family.add_sample(metric.name, dict(zip(metric.labels, labels, strict=True)) | dict(more), 1.0)

    def add_counted(self, metric: Metric, counted: Counted, *labels: str) -> None:
        family = self._family(metric)
        family.add_metric(labels, buckets=list(counted.buckets()), sum_value=counted.total)  # type: ignore[attr-defined]

    def collect(self) -> Iterable[Family]:
        return self._families.values()

    def __len__(self) -> int:
        """Series."""
        return sum(len(family.samples) for family in self._families.values())

    def _family(self, metric: Metric) -> Family:
        if metric.name not in self._families:
            kinds = {
                Kind.COUNTER: CounterMetricFamily,
                Kind.GAUGE: GaugeMetricFamily,
                Kind.HISTOGRAM: HistogramMetricFamily,
            }
            self._families[metric.name] = kinds[metric.kind](metric.name, metric.meaning, labels=metric.labels)
        return self._families[metric.name]
