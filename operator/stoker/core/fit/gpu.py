"""The GPU that a model shall fit, out of what a user types, what a node's labels say or what a resource is called."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stoker.core.fit.catalogue import MIB, PRODUCTS, Product
from stoker.core.fit.slices import PROFILE, RESOURCE_PREFIX, Slice, slices_of

_PRODUCT_LABEL, _MEMORY_LABEL = "nvidia.com/gpu.product", "nvidia.com/gpu.memory"
_SHARED = "-SHARED"  # what time-slicing adds to the product of a label
_VENDOR_WORDS = frozenset({"nvidia", "tesla", "amd", "intel", "instinct", "oam", "geforce", "quadro"})


@dataclass(frozen=True)
class Gpu:
    """One device. A memory of None is unknown."""

    name: str
    memory_bytes: int | None


class UnknownGpuError(ValueError):
    """A name that stands for no product, or for several that differ in memory."""


def gpu_named(text: str) -> Gpu:
    """By label, short name (h100, a100-80, l4) or slice (a100-80-mig-3g.40gb, nvidia.com/mig-3g.40gb)."""
    profile = PROFILE.search(text.lower())
    if profile is not None:
        return _of_slice(text, profile.group())
    product = _product_named(text)
    return Gpu(product.label, product.memory_bytes)


def gpu_of_node(labels: Mapping[str, str], resource: str = "nvidia.com/gpu") -> Gpu:
    """What a node says of its devices; the catalogue answers where it says nothing that can be used."""
    product = labels.get(_PRODUCT_LABEL, "").removesuffix(_SHARED)
    said = labels.get(_MEMORY_LABEL, "")
    if resource.startswith(RESOURCE_PREFIX):
        profile = resource.removeprefix(RESOURCE_PREFIX)
        own = f"{resource}.memory"  # per resource, under the mixed strategy
        known = slices_of(profile, product.partition("-MIG-")[0]) or slices_of(profile)
        return Gpu(resource, _mib(labels.get(own, "")) or (known[0].memory_bytes if known else None))
    return Gpu(product or resource, _mib(said) or _catalogued_bytes(product))


def _mib(text: str) -> int | None:
    return int(text) * MIB if re.fullmatch("[0-9]{1,9}", text) and int(text) else None


def _catalogued_bytes(label: str) -> int | None:
    try:
        return gpu_named(label).memory_bytes if label else None
    except UnknownGpuError:
        return None


def _of_slice(text: str, profile: str) -> Gpu:
    before = text.lower().partition(profile)[0].removesuffix("mig-").rstrip("-_ ")
    whole = None if before in ("", RESOURCE_PREFIX.removesuffix("-mig-"), "nvidia.com/") else _product_named(before)
    found = slices_of(profile, whole.label if whole else None)
    if not found:
        raise UnknownGpuError(
            f"GPU {text}: {whole.label if whole else 'no product'} has no slice {profile}: write one such as"
            " A100-SXM4-80GB-MIG-3g.40gb"
        )
    smallest: Slice = found[0]  # the same profile differs by some hundred MiB between products
    name = f"{whole.label}-MIG-{profile}" if whole else smallest.resource
    return Gpu(name, smallest.memory_bytes)


def _product_named(text: str) -> Product:
    lowered = text.strip().lower()
    for product in PRODUCTS:
        if lowered and lowered in (product.label.lower(), product.plain):
            return product
    words = _words(lowered)
    found = [product for product in PRODUCTS if words and words <= _names(product)]
    if not found:
        raise UnknownGpuError(f"GPU {text} is not in the catalogue: write {_nearest(words)}")
    if len({product.memory_mib for product in found}) > 1:
        choices = ", ".join(product.label for product in found)
        raise UnknownGpuError(f"GPU {text} may be one of several with different memory: write one of {choices}")
    return found[0]


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.split(r"[^a-z0-9]+", text) if word and word not in _VENDOR_WORDS)


def _names(product: Product) -> frozenset[str]:
    """All words that may stand in a short name: rtx, 4090, rtx4090, 24gb, 24."""
    words = [word for word in re.split(r"[^a-z0-9]+", product.label.lower()) if word not in _VENDOR_WORDS]
    pairs = {first + second for first, second in pairwise(words)}
    size = str(product.sold_as_gb)
    return frozenset({*words, *pairs, *product.also, size, f"{size}gb", f"{size}g"})


def _nearest(words: frozenset[str]) -> str:
    near: Sequence[str] = [product.label for product in PRODUCTS if words & _names(product)][:6]
    return "one of " + ", ".join(near) if near else "the node's label nvidia.com/gpu.product, such as NVIDIA-L4"
