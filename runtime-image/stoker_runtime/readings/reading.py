"""One look at an engine's metrics, the same for all engines."""

from dataclasses import dataclass

from stoker_runtime.readings.names import ENGINES, Names, names_on
from stoker_runtime.readings.page import Page


@dataclass(frozen=True)
class Reading:
    """None: the engine does not say, or not in a way that can be trusted. It never stands for 0."""

    running: int | None = None  # requests that compute
    queued: int | None = None  # requests that wait in the engine
    kv_share: float | None = None  # of the KV cache, 0 to 1; of several caches, the fullest
    preemptions: int | None = None  # since the engine started, as are the counts below
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    ttft_count: int | None = None
    ttft_sum_seconds: float | None = None
    itl_count: int | None = None
    itl_sum_seconds: float | None = None


def read(engine: str, text: bytes) -> Reading:
    """Takes any bytes, and never raises. An engine that is not known says nothing."""
    names = names_on(text) if engine == "custom" else ENGINES.get(engine)
    if names is None or not names.any:
        return Reading()
    page = Page(text)
    ttft_count, ttft_sum_seconds = _histogram(page, names.ttft)
    itl_count, itl_sum_seconds = _histogram(page, names.itl + names.itl_means)
    return Reading(
        running=_count(page, names.running),
        queued=_count(page, names.queued),
        kv_share=_share(page, names),
        preemptions=_count(page, names.preemptions),
        prompt_tokens=_count(page, names.prompt_tokens),
        output_tokens=_count(page, names.output_tokens),
        ttft_count=ttft_count,
        ttft_sum_seconds=ttft_sum_seconds,
        itl_count=itl_count,
        itl_sum_seconds=itl_sum_seconds,
    )


def _values(page: Page, names: tuple[bytes, ...]) -> list[float]:
    """Of the first name that is on the page, so that two versions of one metric are not added."""
    found = (page.values(name) for name in names)
    return next((values for values in found if values is not None), [])


def _count(page: Page, names: tuple[bytes, ...]) -> int | None:
    values = _values(page, names)
    return round(sum(values)) if values else None


def _share(page: Page, names: Names) -> float | None:
    highest = max(_values(page, names.kv_share), default=None)
    if highest is None or highest > 1:
        return None
    # Where an engine says 0 for a share that it does not know, it also says 0 for the size.
    return highest if not names.kv_size or sum(_values(page, (names.kv_size,))) > 0 else None


def _histogram(page: Page, names: tuple[bytes, ...]) -> tuple[int | None, float | None]:
    """Count and sum are of use together only."""
    for name in names:
        counts = page.values(name + b"_count", name)
        if counts is not None:
            sums = page.values(name + b"_sum", name)
            return (round(sum(counts)), sum(sums)) if counts and sums and len(counts) == len(sums) else (None, None)
    return None, None
