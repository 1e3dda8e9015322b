"""On which nodes pods of a model may run: what the spec, its template and the configuration say together."""

import hashlib
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.v1alpha1.modeldeployment import Spec
from stoker.core.names import CLAIM_LABEL, GPU_PRODUCT_LABEL

Json = dict[str, Any]
_LONGEST_LABEL = 63


def node_constraints(spec: Spec, settings: Configuration) -> Json:
    """Selector, affinity and tolerations of a replica's pod, as far as they are there."""
    products = [product for product in settings.gpu_products if product.name in spec.accelerator.products]
    selector = dict(settings.pods.node_selector)
    # Selectors of several products could contradict each other, and one of them would do: then only the label decides.
    if len(products) == 1 and len(spec.accelerator.products) == 1:
        selector |= products[0].node_selector
    constraints = {
        "nodeSelector": selector,
        "affinity": _product_affinity(spec),
        "tolerations": tolerations(spec, settings),
    }
    return {field: value for field, value in constraints.items() if value}


def tolerations(spec: Spec, settings: Configuration) -> list[Json]:
    products = [product for product in settings.gpu_products if product.name in spec.accelerator.products]
    every = [*settings.pods.tolerations, *(toleration for product in products for toleration in product.tolerations)]
    return [dict(toleration) for toleration in every]


def _product_affinity(spec: Spec) -> Json:
    if not spec.accelerator.products:
        return {}
    wanted = {"key": GPU_PRODUCT_LABEL, "operator": "In", "values": sorted(spec.accelerator.products)}
    return {"nodeAffinity": required_nodes([wanted])}


def required_nodes(expressions: list[Json]) -> Json:
    terms = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    return {"requiredDuringSchedulingIgnoredDuringExecution": terms}


def claim_label(claim: str) -> dict[str, str]:
    """On every pod that mounts a claim which is on one node at a time. Names may be longer than a label's value."""
    short = claim if len(claim) <= _LONGEST_LABEL else hashlib.sha256(claim.encode()).hexdigest()[:_LONGEST_LABEL]
    return {CLAIM_LABEL: short}


def beside_the_volume(claim: str) -> Json:
    """Where a volume is on one node at a time, whoever mounts it goes where it is mounted already. The first of them
    matches itself, so it may go anywhere."""
    term = {"labelSelector": {"matchLabels": claim_label(claim)}, "topologyKey": "kubernetes.io/hostname"}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
