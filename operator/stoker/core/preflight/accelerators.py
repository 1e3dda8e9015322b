"""Nodes with accelerators: how many there are, whether pods get there, and whether their GPUs are labelled."""

import re
from collections.abc import Sequence

from stoker.core.counted import counted, listed, share, verb
from stoker.core.names import GPU_PRODUCT_LABEL
from stoker.core.preflight.check import Check, Level
from stoker.core.preflight.facts import Facts, Node, Unread

GPU_MEMORY_LABEL = "nvidia.com/gpu.memory"

_ACCELERATORS, _SCHEDULABLE, _LABELS = "accelerators", "accelerator-nodes", "gpu-labels"
_ACCELERATOR = re.compile(
    r"nvidia\.com/(gpu|mig-).*|amd\.com/gpu.*|gpu\.intel\.com/.*|habana\.ai/.*|google\.com/tpu.*"
    r"|aws\.amazon\.com/neuron.*|huawei\.com/.*|qualcomm\.com/.*|tenstorrent\.com/.*|furiosa\.ai/.*|rebellions\.ai/.*"
)


def is_accelerator(resource: str) -> bool:
    """Other extended resources, such as network devices, are nobody's accelerator."""
    return _ACCELERATOR.fullmatch(resource) is not None


def _is_nvidia(resource: str) -> bool:
    return resource.startswith("nvidia.com/") and is_accelerator(resource)


def accelerator_nodes(facts: Facts) -> list[Check]:
    nodes = facts.nodes
    if isinstance(nodes, Unread):
        return [nodes.check(_ACCELERATORS)]
    equipped = [node for node in nodes if any(map(is_accelerator, (*node.capacity, *node.allocatable)))]
    if not equipped:
        sentence = f"none of {counted(len(nodes), 'node')} advertises any, so only models with count 0 are scheduled"
        remedy = "install the vendor's device plugin, unless an autoscaler adds such nodes on demand"
        return [Check(_ACCELERATORS, Level.WARN, sentence, remedy)]
    return [_advertised(equipped), _schedulable(equipped), _labelled(equipped)]


def _advertised(nodes: Sequence[Node]) -> Check:
    resources = sorted({name for node in nodes for name in (*node.capacity, *node.allocatable) if is_accelerator(name)})
    counts = []
    for resource in resources:
        holders = [node for node in nodes if node.allocatable.get(resource)]
        total = sum(node.allocatable[resource] for node in holders)
        counts.append(f"{total} {resource} on {counted(len(holders), 'node')}")
    broken = [
        node.name
        for node in nodes
        if any(node.allocatable.get(resource, 0) < node.capacity.get(resource, 0) for resource in resources)
    ]
    if broken:
        sentence = (
            f"{'; '.join(counts)}; {listed(broken)} {verb(len(broken), 'has', 'have')} devices that are not allocatable"
        )
        return Check(_ACCELERATORS, Level.WARN, sentence, "look at the log of the device plugin on these nodes")
    if not any(node.allocatable.get(resource) for node in nodes for resource in resources):
        return Check(_ACCELERATORS, Level.WARN, "; ".join(counts), "look at the log of the device plugin")
    return Check(_ACCELERATORS, Level.OK, "; ".join(counts))


def _schedulable(nodes: Sequence[Node]) -> Check:
    cordoned = [node.name for node in nodes if node.cordoned]
    sick = [node.name for node in nodes if not node.ready and not node.cordoned]
    if not cordoned and not sick:
        return Check(_SCHEDULABLE, Level.OK, f"{counted(len(nodes), 'node')} with accelerators, none cordoned")
    causes = [f"cordoned: {listed(cordoned)}"] * bool(cordoned) + [f"not ready: {listed(sick)}"] * bool(sick)
    left = len(nodes) - len(cordoned) - len(sick)
    sentence = (
        f"{share(left, len(nodes), 'node')} with accelerators {verb(left, 'takes', 'take')} pods; {'; '.join(causes)}"
    )
    remedies = ["kubectl uncordon them"] * bool(cordoned) + ["kubectl describe node tells why"] * bool(sick)
    return Check(_SCHEDULABLE, Level.WARN, sentence, "; ".join(remedies))


def _labelled(nodes: Sequence[Node]) -> Check:
    """Without them, spec.accelerator.products cannot be kept and nobody knows how much memory a GPU has."""
    nvidia = [node for node in nodes if any(map(_is_nvidia, node.allocatable))]
    if not nvidia:
        return Check(_LABELS, Level.OK, "not needed: no node advertises an NVIDIA GPU")
    bare = [node.name for node in nvidia if not {GPU_PRODUCT_LABEL, GPU_MEMORY_LABEL} <= node.labels.keys()]
    if bare:
        sentence = (
            f"{listed(bare)}: without {GPU_PRODUCT_LABEL} or {GPU_MEMORY_LABEL}, so models that ask for a product"
            " are not scheduled there and fit is not checked"
        )
        return Check(_LABELS, Level.WARN, sentence, "install NVIDIA GPU feature discovery, or label the nodes")
    products = sorted({node.labels[GPU_PRODUCT_LABEL] for node in nvidia})
    return Check(_LABELS, Level.OK, f"products on {counted(len(nvidia), 'node')}: {listed(products)}")
