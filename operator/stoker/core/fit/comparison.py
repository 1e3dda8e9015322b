"""One model on the GPUs that people have."""

from dataclasses import replace

from stoker.core.fit.catalogue import PRODUCTS, Product
from stoker.core.fit.fit import Fit, fit
from stoker.core.fit.gpu import Gpu
from stoker.core.fit.remedies import smallest_spread
from stoker.core.fit.setup import Setup
from stoker_runtime.facts import Facts

COMPARED = tuple(sorted((one for one in PRODUCTS if one.common), key=lambda one: one.memory_mib))


def compared(facts: Facts, setup: Setup, *, spread_given: bool) -> list[tuple[Product, Fit]]:
    """For each product the fewest GPUs on which it fits, or the misfit on one; only the given spread where there is
    one."""
    found = []
    for product in COMPARED:
        on_it = replace(setup, gpu=Gpu(product.label, product.memory_bytes))
        fewest = None if spread_given else smallest_spread(facts, on_it)
        found.append((product, fewest or fit(facts, on_it)))
    return found
