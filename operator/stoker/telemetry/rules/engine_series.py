"""What the engines call what the rules ask of them, out of the one table of their names.

A histogram of gaps between tokens has quantiles. Of means, one for each request, and of sums there is a mean and no
more: a quantile of means hides the gaps that a client sees.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import chain
from types import MappingProxyType

from stoker_runtime.readings.names import ENGINES, Names


@dataclass(frozen=True)
class EngineSeries:
    """The names of a measure, in the order in which they are asked: of one page, the first that is there counts."""

    ttft_buckets: tuple[str, ...]
    itl_buckets: tuple[str, ...]
    itl_sums: tuple[str, ...]
    itl_counts: tuple[str, ...]
    output_tokens: tuple[str, ...]
    prompt_tokens: tuple[str, ...]


def series_of(names: Names) -> EngineSeries:
    histograms = names.itl + names.itl_means
    counts = _with("_count", histograms)
    return EngineSeries(
        ttft_buckets=_with("_bucket", names.ttft),
        itl_buckets=_with("_bucket", names.itl),
        itl_sums=_with("_sum", histograms) + _with("", names.output_seconds),
        itl_counts=counts + (_with("", names.output_tokens) if names.output_seconds else ()),
        output_tokens=_with("", names.output_tokens),
        prompt_tokens=_with("", names.prompt_tokens),
    )


def _with(ending: str, names: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(name.decode() + ending for name in names)


SERIES: Mapping[str, EngineSeries] = MappingProxyType({engine: series_of(names) for engine, names in ENGINES.items()})


def of_every_engine() -> EngineSeries:
    """A name that several engines have comes once."""
    measures = zip(*(astuple(series) for series in SERIES.values()), strict=True)
    return EngineSeries(*(tuple(dict.fromkeys(chain.from_iterable(names))) for names in measures))


def kept_series() -> tuple[str, ...]:
    """What a scrape of engines keeps: what the rules ask for, and what the operator asks of a Prometheus."""
    return tuple(sorted({name for names in ENGINES.values() for name in _all_of(names)}))


def _all_of(names: Names) -> Iterator[str]:
    gauges_and_counters = (names.running, names.queued, names.kv_share, names.preemptions, names.prompt_tokens)
    for plain in (*gauges_and_counters, names.output_tokens, names.output_seconds):
        yield from _with("", plain)
    for ending in ("_sum", "_count"):
        yield from _with(ending, names.ttft + names.itl + names.itl_means)
    yield from _with("_bucket", names.ttft + names.itl)
