"""The answer of a fit as a condition says it."""

from collections.abc import Callable, Iterator, Sequence

from stoker.core.counted import counted
from stoker.core.fit.engine_costs import GIB
from stoker.core.fit.fit import Fit, Verdict, requests_to_hold
from stoker.core.fit.remedies import Change, Remedy
from stoker.core.fit.setup import CacheType

MOST_REMEDIES = 3


def sentence(found: Fit, remedies: Sequence[Remedy] = ()) -> str:
    if found.obstacles:
        said = "; ".join(found.obstacles)
    else:
        said = f"Needs {gib(found.parts.total_bytes)} GiB on each of {_gpus(found)}{_verdict(found)}: {_parts(found)}"
        said += _at_once(found)
    if found.verdict is Verdict.MISFIT and remedies:
        ways = "; or ".join(remedy_text(remedy, found) for remedy in remedies[:MOST_REMEDIES])
        said += f". To make it fit: {ways}"
    return f"{said}."


def remedy_text(remedy: Remedy, misfit: Fit) -> str:
    """What to change, in the words of the manifest, and what it leads to."""
    found = remedy.fit
    setup, parts = found.setup, found.parts
    cache = f"{gib(parts.cache_bytes)} GiB instead of {gib(misfit.parts.cache_bytes)}"
    said: dict[Change, Callable[[], str]] = {
        Change.CONTEXT: lambda: f"set contextLength to {found.context_tokens:,}",
        Change.GPUS: lambda: f"{_spread(found)} ({counted(setup.gpus, 'GPU')}, {gib(parts.total_bytes)} GiB on each)",
        Change.QUANTIZATION: lambda: _lighter(remedy, misfit),
        Change.PRODUCT: lambda: f"use {setup.gpu.name} ({gib(setup.gpu.memory_bytes or 0)} GiB)",
        Change.CACHE_TYPE: lambda: f"store the KV cache in 8 bits ({cache})",
        Change.REQUESTS: lambda: f"hold {counted(requests_to_hold(setup), 'request')} of this length at once",
        Change.SHARE: lambda: f"set gpuMemoryPercent to {setup.gpu_memory_percent}",
        Change.SEVERAL: lambda: ", ".join(_several(remedy, misfit)),
    }
    return said[remedy.change]()


def gib(size_bytes: int) -> str:
    return f"{size_bytes / GIB:,.1f}"


def part_sizes(found: Fit) -> list[tuple[str, int]]:
    """By name, without those that an engine does not have."""
    parts = found.parts
    named = [
        ("weights", parts.weights_bytes),
        ("KV cache", parts.cache_bytes),
        ("activations", parts.activations_bytes),
        ("CUDA graphs", parts.graphs_bytes),
        ("framework", parts.framework_bytes),
    ]
    return [(name, size) for name, size in named if size]


def held(found: Fit) -> str:
    """What the KV cache must hold."""
    number = requests_to_hold(found.setup)
    each = " each" if number > 1 else ""
    return f"{counted(number, 'request')} of {found.context_tokens:,} tokens{each}"


def _gpus(found: Fit) -> str:
    memory = found.setup.gpu.memory_bytes
    if memory is None or found.budget_bytes is None:
        return f"{found.setup.gpus} {found.setup.gpu.name} (memory unknown)"
    usable = f"{gib(memory)} GiB, {gib(found.budget_bytes)} for the engine"
    return f"{found.setup.gpus} {found.setup.gpu.name} ({usable})"


def _verdict(found: Fit) -> str:
    if found.left_bytes is not None and found.left_bytes < 0:
        return f", {_too_much(-found.left_bytes)} too much"
    return "" if found.cache_known else " and the KV cache, of which the model's files do not tell"


def _too_much(size_bytes: int) -> str:
    return f"{gib(size_bytes)} GiB" if size_bytes * 20 >= GIB else f"{max(size_bytes >> 20, 1)} MiB"


def _parts(found: Fit) -> str:
    said = [
        f"{name} {gib(size)} for {held(found)}" if name == "KV cache" else f"{name} {gib(size)}"
        for name, size in part_sizes(found)
    ]
    return ", ".join(said)


def _at_once(found: Fit) -> str:
    if found.requests_at_once is None or not found.fits:
        return ""
    such, half = counted(found.requests_at_once, "such request"), found.requests_at_half or 0
    return f"; holds {such} at once, {half:,} of half the length"


def _spread(found: Fit) -> str:
    setup = found.setup
    fields = []
    if setup.splits_layers:
        fields.append(f"tensorParallel to {setup.tensor_parallel}")
        if setup.pipeline_parallel > 1:
            fields.append(f"pipelineParallel to {setup.pipeline_parallel}")
    else:
        fields.append(f"accelerator.count to {setup.gpus}")
    return "set " + " and ".join(fields)


def _lighter(remedy: Remedy, misfit: Fit) -> str:
    before, after = gib(misfit.parts.weights_bytes), gib(remedy.fit.parts.weights_bytes)
    return f"quantize the weights to {remedy.quantization} (weights {after} GiB instead of {before})"


def _several(remedy: Remedy, misfit: Fit) -> Iterator[str]:
    found = remedy.fit
    yield f"use {found.setup.gpus} {found.setup.gpu.name}"
    yield _spread(found)
    if remedy.quantization:
        yield f"quantize the weights to {remedy.quantization}"
    if found.context_tokens != misfit.context_tokens:
        yield f"set contextLength to {found.context_tokens:,}"
    if found.setup.cache_type is not CacheType.AUTO and misfit.setup.cache_type is CacheType.AUTO:
        yield "store the KV cache in 8 bits"
