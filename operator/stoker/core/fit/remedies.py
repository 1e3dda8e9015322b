"""What would make a misfit fit. Each remedy is a setup that was put through the same fit, so it is true."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from stoker.core.fit.catalogue import PRODUCTS, Product
from stoker.core.fit.fit import SHORTEST_CONTEXT, Fit, fit, longest_context, supports_small_cache
from stoker.core.fit.gpu import Gpu
from stoker.core.fit.quantized import FP8, QUANTIZATIONS, quantized
from stoker.core.fit.setup import CacheType, Setup, spreads
from stoker_runtime.facts import Facts

_LEAST_USEFUL_CONTEXT = 1024
_HIGHEST_PERCENT = 95


class Change(StrEnum):
    """What a remedy changes."""

    CONTEXT = "context"
    GPUS = "gpus"
    QUANTIZATION = "quantization"
    PRODUCT = "product"
    CACHE_TYPE = "cacheType"
    REQUESTS = "requests"
    SHARE = "share"
    SEVERAL = "several"


@dataclass(frozen=True)
class Remedy:
    """A change, and the fit that it leads to."""

    change: Change
    fit: Fit
    quantization: str | None = None
    weight_bytes: int | None = None  # of the whole model, where it changed


def smallest_spread(facts: Facts, setup: Setup) -> Fit | None:
    """On the fewest GPUs of the same product; None where the largest spread does not fit either."""
    return next((found for found in (fit(facts, wider) for wider in spreads(facts, setup)) if found.fits), None)


def remedies(facts: Facts, misfit: Fit) -> tuple[Remedy, ...]:
    """All single changes that help, the first three the most different; a double one where no single one does."""
    setup = replace(misfit.setup, context_tokens=misfit.context_tokens)
    found = tuple(_single(facts, setup))
    return found or tuple(_several(facts, setup))


def _single(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    yield from _shorter(facts, setup)
    if (wider := smallest_spread(facts, setup)) is not None:
        yield Remedy(Change.GPUS, wider)
    lighter = list(_lighter(facts, setup))
    yield from lighter[:1]
    if (larger := larger_product(facts, setup)) is not None:
        yield Remedy(Change.PRODUCT, larger)
    yield from _smaller_cache(facts, setup)
    yield from _fewer_requests(facts, setup)
    yield from _larger_share(facts, setup)
    yield from lighter[1:]


def _shorter(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    most = min(setup.context_tokens or SHORTEST_CONTEXT, facts.context_length or setup.context_tokens or 0)
    longest = longest_context(facts, replace(setup, context_tokens=most))
    if longest is not None and longest >= _LEAST_USEFUL_CONTEXT and longest != setup.context_tokens:
        yield from _if_it_fits(Change.CONTEXT, facts, replace(setup, context_tokens=longest))


def _lighter(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    for target in QUANTIZATIONS:
        smaller = quantized(facts, target)
        found = fit(smaller, setup) if smaller is not None else None
        if smaller is not None and found is not None and found.fits:
            yield Remedy(Change.QUANTIZATION, found, target.name, smaller.weight_bytes)


def larger_product(facts: Facts, setup: Setup) -> Fit | None:
    """The smallest product that fits as many of; those that many people have come first."""
    for product in _from_small_to_large():
        found = fit(facts, replace(setup, gpu=Gpu(product.label, product.memory_bytes)))
        if found.fits and product.memory_bytes > (setup.gpu.memory_bytes or 0):
            return found
    return None


def _smaller_cache(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    if supports_small_cache(setup):
        yield from _if_it_fits(Change.CACHE_TYPE, facts, replace(setup, cache_type=CacheType.FP8))


def _fewer_requests(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    """As many as the room holds; one at least. An engine that sets memory aside for all needs to run fewer."""
    held = fit(facts, replace(setup, full_requests=1)).requests_at_once or 1
    for fewer in (held, 1):
        smaller = replace(setup, full_requests=min(fewer, setup.full_requests))
        if setup.most_requests is not None:
            smaller = replace(smaller, most_requests=min(fewer, setup.most_requests))
        if smaller != setup:
            found = tuple(_if_it_fits(Change.REQUESTS, facts, smaller))
            yield from found
            if found:
                return


def _larger_share(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    if setup.gpu_memory_percent < _HIGHEST_PERCENT:
        yield from _if_it_fits(Change.SHARE, facts, replace(setup, gpu_memory_percent=_HIGHEST_PERCENT))


def _several(facts: Facts, setup: Setup) -> Iterator[Remedy]:
    """A larger product and more of them; else fewer bits on top."""
    shorter = replace(setup, context_tokens=min(setup.context_tokens or SHORTEST_CONTEXT, SHORTEST_CONTEXT))
    lighter = quantized(facts, FP8)
    for smaller, changed in ((facts, setup), (lighter, setup), (lighter, shorter)):
        if smaller is None:
            continue
        products = [product for product in _from_small_to_large() if product.common]
        found = [_spread_on(smaller, changed, product) for product in products]
        fitting = [one for one in found if one is not None]
        if fitting:
            fewest = min(fitting, key=lambda one: one.setup.gpus)
            light = smaller is lighter
            yield Remedy(Change.SEVERAL, fewest, FP8.name if light else None, smaller.weight_bytes if light else None)
            return


def _spread_on(facts: Facts, setup: Setup, product: Product) -> Fit | None:
    return smallest_spread(facts, replace(setup, gpu=Gpu(product.label, product.memory_bytes)))


def _if_it_fits(change: Change, facts: Facts, setup: Setup) -> Iterator[Remedy]:
    found = fit(facts, setup)
    if found.fits:
        yield Remedy(change, found)


def _from_small_to_large() -> list[Product]:
    """Common ones first. Of other vendors only what the images run on without further ado: NVIDIA's."""
    return sorted((one for one in PRODUCTS if one.vendor == "nvidia"), key=lambda one: (not one.common, one.memory_mib))
