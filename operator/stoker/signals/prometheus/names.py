"""What Prometheus calls each figure of a replica: as its agent says it, else as its engine does.

An agent's counts are exact, and where a replica has one they come first. One pod has one engine, so that the names of
several engines may stand in one query.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stoker_runtime.readings.names import ENGINES, Names


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    matcher: str = ""
    """One more condition on its labels, as PromQL writes it."""


_AGENT: Mapping[str, tuple[Series, ...]] = MappingProxyType(
    {
        "in_flight": (Series("stoker_replica_in_flight"),),
        "waiting": (Series("stoker_replica_waiting"),),
        "arrivals": (Series("stoker_replica_arrivals_total"),),
        "finished": (Series("stoker_replica_requests_total", 'outcome="finished"'),),
        "running": (Series("stoker_replica_engine_running"),),
        "queued": (Series("stoker_replica_engine_waiting"),),
        "kv_share": (Series("stoker_replica_engine_kv_cache_share"),),
        "prompt_tokens": (Series("stoker_replica_prompt_tokens_total"),),
        "output_tokens": (Series("stoker_replica_output_tokens_total"),),
        "ttft_count": (Series("stoker_replica_ttft_seconds_count"),),
        "ttft_sum_seconds": (Series("stoker_replica_ttft_seconds_sum"),),
        "itl_count": (Series("stoker_replica_itl_seconds_count"),),
        "itl_sum_seconds": (Series("stoker_replica_itl_seconds_sum"),),
        "asleep": (Series("stoker_replica_asleep"),),
    }
)
# Their loss leaves a load that says less; without any of the others there is none.
OPTIONAL = frozenset({"kv_share", "preemptions", "prompt_tokens", "output_tokens", "itl_count", "itl_sum_seconds"})


def series_of(engines: Iterable[str]) -> dict[str, tuple[Series, ...]]:
    """By figure, for a fleet of these engines; what one does not know by name may be any of them."""
    known = {engine for engine in engines if engine in ENGINES}
    chosen = sorted(known) if known and known == set(engines) else sorted(ENGINES)
    found = {figure: list(series) for figure, series in _AGENT.items()}
    for engine in chosen:
        for figure, names in _figures(ENGINES[engine]).items():
            series = found.setdefault(figure, [])
            series += [each for each in map(Series, names) if each not in series]
    return {figure: tuple(series) for figure, series in found.items() if series}


def _figures(names: Names) -> dict[str, list[str]]:
    plain = ("running", "queued", "kv_share", "preemptions", "prompt_tokens", "output_tokens")
    figures = {figure: [name.decode() for name in getattr(names, figure)] for figure in plain}
    for figure, of_all in (("ttft", names.ttft), ("itl", names.itl + names.itl_means)):
        histograms = [name.decode() for name in of_all]
        figures[f"{figure}_count"] = [f"{name}_count" for name in histograms]
        figures[f"{figure}_sum_seconds"] = [f"{name}_sum" for name in histograms]
    return figures
