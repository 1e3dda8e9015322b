"""Does a model fit, on each GPU of a setup.

usable  = total - what the driver keeps
budget  = percent * usable
fixed   = weights + activations + graphs + framework
room    = budget - fixed                                        where the percentage counts everything
        = min(budget, usable - fixed + weights) - weights       where it counts weights and KV cache alone
fits    = room ≥ cache of one request of full length * requests that must be held
at once = room / cache of one request, rounded down, at most what one step computes
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from stoker.core.fit.activations import activation_bytes, framework_bytes, graph_bytes, step_of
from stoker.core.fit.cache import BLOCK_TOKENS, request_bytes_per_gpu, token_bytes, token_bytes_per_gpu
from stoker.core.fit.engine_costs import COSTS, MIB, Share
from stoker.core.fit.setup import CacheType, Setup, obstacles
from stoker.core.fit.weights import weight_bytes_per_gpu
from stoker_runtime.facts import Facts, Task

# PyTorch sees less than nvidia-smi: 438 to 480 MiB on H100, L4, L40S and T4, up to 874 MiB on A100 80GB.
_LEAST_KEPT, _MOST_KEPT, _KEPT_PERCENT = 480 * MIB, 896 * MIB, 1.1
# Less than this helps nobody, so a context that nobody asked for is not shortened further.
SHORTEST_CONTEXT = 4096
_USUAL_CONTEXT = 8192  # of a model that does not say
_ROUND_TOKENS = 1024
# What is left to error where the context is made as long as it can be: of the room for KV cache.
_MARGIN_PERCENT = 5


class Verdict(StrEnum):
    FITS = "fits"
    MISFIT = "misfit"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Parts:
    """Bytes on the fullest GPU, by what they are for."""

    weights_bytes: int
    cache_bytes: int
    activations_bytes: int
    graphs_bytes: int
    framework_bytes: int

    @property
    def fixed_bytes(self) -> int:
        return self.total_bytes - self.cache_bytes

    @property
    def total_bytes(self) -> int:
        parts = (self.weights_bytes, self.cache_bytes, self.activations_bytes, self.graphs_bytes, self.framework_bytes)
        return sum(parts)


@dataclass(frozen=True)
class Fit:
    """The answer for one setup, whose context length is settled."""

    verdict: Verdict
    setup: Setup
    context_tokens: int
    parts: Parts
    obstacles: tuple[str, ...]
    budget_bytes: int | None  # None: nobody knows the GPU's memory
    left_bytes: int | None  # below zero: so much is missing
    requests_at_once: int | None
    requests_at_half: int | None  # of half the length
    token_bytes: int  # of KV cache, over all GPUs
    token_bytes_per_gpu: int
    cache_known: bool = True  # whether the model says what it keeps of a token

    @property
    def fits(self) -> bool:
        return self.verdict is Verdict.FITS


def fit(facts: Facts, setup: Setup) -> Fit:
    context = settled_context(facts, setup)
    fixed = _fixed(facts, setup)
    step = step_of(setup)
    one = request_bytes_per_gpu(facts, setup, context, step.tokens)
    half = request_bytes_per_gpu(facts, setup, max(context // 2, 1), step.tokens)
    parts = replace(fixed, cache_bytes=one * requests_to_hold(setup))
    room = _room(fixed, setup)
    found = obstacles(facts, replace(setup, context_tokens=context))
    known = bool(facts.groups) or facts.task in (Task.EMBED, Task.CLASSIFY)
    left = None if room is None else room - parts.cache_bytes
    return Fit(
        verdict=_verdict(left, found, cache_known=known),
        setup=setup,
        context_tokens=context,
        parts=parts,
        obstacles=found,
        budget_bytes=None if room is None else room + parts.fixed_bytes,
        left_bytes=left,
        requests_at_once=_at_once(room, one, step.requests),
        requests_at_half=_at_once(room, half, step.requests),
        token_bytes=token_bytes(facts, setup.cache_type),
        token_bytes_per_gpu=token_bytes_per_gpu(facts, setup),
        cache_known=known,
    )


def settled_context(facts: Facts, setup: Setup) -> int:
    """What was asked for; else what the model was made for, or the longest that fits but not less than is of use."""
    if setup.context_tokens is not None:
        return setup.context_tokens
    own = facts.context_length or _USUAL_CONTEXT
    longest = longest_context(facts, replace(setup, context_tokens=own))
    return max(longest or 0, min(own, SHORTEST_CONTEXT))


def longest_context(facts: Facts, setup: Setup) -> int | None:
    """The longest that fits, up to that of the setup or the model: whole, or with a margin and rounded down to 1,024
    tokens. None: no length fits."""
    room = _room(_fixed(facts, setup), setup)
    if room is None:
        return setup.context_tokens
    most = setup.context_tokens or facts.context_length or _USUAL_CONTEXT
    step, held = step_of(setup).tokens, requests_to_hold(setup)

    def holds(tokens: int, margin_percent: int = _MARGIN_PERCENT) -> bool:
        needed = request_bytes_per_gpu(facts, setup, tokens, step) * held
        return needed * 100 <= room * (100 - margin_percent)

    if holds(most, 0):
        return most
    low, high = 0, most // BLOCK_TOKENS  # in blocks: low holds, high does not or is the end
    if not holds(BLOCK_TOKENS):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle * BLOCK_TOKENS) else (low, middle)
    tokens = max(low, 1) * BLOCK_TOKENS
    return tokens // _ROUND_TOKENS * _ROUND_TOKENS or tokens


def requests_to_hold(setup: Setup) -> int:
    """Some engines set memory aside for all requests that they may ever run."""
    return step_of(setup).requests if COSTS[setup.engine].reserves_every_request else setup.full_requests


def supports_small_cache(setup: Setup) -> bool:
    return COSTS[setup.engine].small_cache_bits is not None and setup.cache_type is CacheType.AUTO


def usable_bytes(memory_bytes: int) -> int:
    kept = min(max(int(memory_bytes * _KEPT_PERCENT / 100), _LEAST_KEPT), _MOST_KEPT)
    return max(memory_bytes - kept, 0)


def _fixed(facts: Facts, setup: Setup) -> Parts:
    return Parts(
        weights_bytes=weight_bytes_per_gpu(facts, setup),
        cache_bytes=0,
        activations_bytes=activation_bytes(facts, setup),
        graphs_bytes=graph_bytes(facts, setup),
        framework_bytes=framework_bytes(setup),
    )


def _room(fixed: Parts, setup: Setup) -> int | None:
    """For the KV cache."""
    if setup.gpu.memory_bytes is None:
        return None
    usable = usable_bytes(setup.gpu.memory_bytes)
    budget = usable * setup.gpu_memory_percent // 100
    if COSTS[setup.engine].share is Share.ALL:
        return budget - fixed.fixed_bytes
    return min(budget, usable - fixed.fixed_bytes + fixed.weights_bytes) - fixed.weights_bytes


def _verdict(left: int | None, found: tuple[str, ...], *, cache_known: bool) -> Verdict:
    if found or (left is not None and left < 0):
        return Verdict.MISFIT
    return Verdict.FITS if left is not None and cache_known else Verdict.UNKNOWN


def _at_once(room: int | None, one: int, most: int) -> int | None:
    if room is None:
        return None
    if room < 0:
        return 0
    return min(room // one, most) if one else most
