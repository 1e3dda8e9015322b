"""Bytes that one step needs while it runs, and what stays for the graphs and the framework.

    layer       = step tokens * (3 * inner / TP + 4 * hidden) * element    gate, up and their product; residual, norm,
                                                                           input and output of a block
    experts     = step tokens * 8 * hidden * element                       what they answer, before it is summed
    logits      = rows * vocabulary * 4 * 3                                float32; the sampler's sorted copy and
                                                                           probabilities. Not split
    activations = layer + experts + logits
    graphs      = base + ceil(layers / PP) * bytes per layer
    framework   = context and workspaces + buffers of collectives, where there are several GPUs

With Llama 3 8B and 8,192 tokens a step, layer and logits give 1.27 GiB; vLLM printed 1.26 GiB (vllm-project/vllm pull
request 10511, 256 requests).
"""

from dataclasses import dataclass

from stoker.core.fit.engine_costs import COSTS, GIB, LARGE_GPU_BYTES
from stoker.core.fit.setup import Setup
from stoker.core.fit.widths import compute_bytes, divided
from stoker_runtime.facts import Facts, Task

_LOGIT_BYTES, _LOGIT_COPIES = 4, 3
_INNER_COPIES, _HIDDEN_COPIES = 3, 4
_EXPERTS_PER_TOKEN = 8  # the most that is usual
# Pixels become activations and cached embeddings before they become tokens. How many depends on the processor of each
# model, which its configuration does not tell: an allowance for a few images a step.
_MULTIMODAL_BYTES = GIB


@dataclass(frozen=True)
class Step:
    """What one step computes at most."""

    tokens: int
    requests: int


def step_of(setup: Setup) -> Step:
    """By the engine's defaults, which follow the size of the GPU. Unknown: those of a large one, which need more."""
    cost, memory = COSTS[setup.engine], setup.gpu.memory_bytes
    large = memory is None or memory >= LARGE_GPU_BYTES
    requests = setup.most_requests or (cost.large_most_requests if large else cost.most_requests)
    return Step(cost.large_step_tokens if large else cost.step_tokens, max(requests, setup.full_requests))


def activation_bytes(facts: Facts, setup: Setup) -> int:
    step = step_of(setup)
    inner = divided(facts.intermediate_size, setup.tensor_parallel)
    hidden = (_HIDDEN_COPIES + (_EXPERTS_PER_TOKEN if facts.experts else 0)) * facts.hidden_size
    layer = step.tokens * (_INNER_COPIES * inner + hidden) * compute_bytes(facts)
    extra = _MULTIMODAL_BYTES if facts.multimodal else 0
    return layer + _logit_bytes(facts, setup, step) + extra


def _logit_bytes(facts: Facts, setup: Setup, step: Step) -> int:
    if facts.task in (Task.EMBED, Task.CLASSIFY):
        return 0
    rows = step.tokens if COSTS[setup.engine].logits_of_all_tokens else step.requests
    return rows * facts.vocabulary * _LOGIT_BYTES * _LOGIT_COPIES


def graph_bytes(facts: Facts, setup: Setup) -> int:
    cost = COSTS[setup.engine]
    return cost.graph_base_bytes + divided(facts.layers, setup.pipeline_parallel) * cost.graph_bytes_per_layer


def framework_bytes(setup: Setup) -> int:
    cost = COSTS[setup.engine]
    return cost.framework_bytes + (cost.collective_bytes if setup.gpus > 1 else 0)
