"""The accelerators that the models share, and who holds how many.

Elastic: there is one pool without an end, since a replica that waits makes a node come. Nodes: a pool for each product
on the nodes that there are; what is cordoned gives nothing to whoever asks, and goes on being held.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from stoker.core.follow.subject import Subject
from stoker.core.names import GPU_PRODUCT_LABEL, Tier
from stoker.core.plan.snapshot import Node
from stoker.core.scaling.fleet import Holding, Member, Pool
from stoker.core.scaling.observation import Replica

ELASTIC = "elastic"
_ENDLESS = 1_000_000_000


def products_of(nodes: Iterable[Node] | None) -> Mapping[str, str]:
    """The GPU product of each node."""
    return {node.name: node.labels.get(GPU_PRODUCT_LABEL, "") for node in nodes or ()}


def products_in_sight(nodes: Iterable[Node] | None) -> Mapping[str, frozenset[str]]:
    """The GPU products that a resource stands for."""
    found: dict[str, set[str]] = {}
    for node in nodes or ():
        for resource, amount in node.allocatable.items():
            if amount:
                found.setdefault(resource, set()).add(node.labels.get(GPU_PRODUCT_LABEL, ""))
    return {resource: frozenset(products) for resource, products in found.items()}


def pools_of(
    nodes: Iterable[Node] | None, *, by_nodes: bool, foreign: Mapping[str, int] | None = None
) -> Mapping[str, Pool]:
    """Where nodes cannot be seen, nothing is known to be missing. `foreign` devices are somebody else's."""
    pools = {ELASTIC: Pool(_ENDLESS)}
    if not by_nodes or nodes is None:
        return pools
    devices: Counter[str] = Counter()
    for node in nodes:
        for resource, amount in node.allocatable.items():
            devices[pool_name(resource, node.labels.get(GPU_PRODUCT_LABEL, ""))] += amount if node.schedulable else 0
    taken = foreign or {}
    return pools | {name: Pool(amount, taken.get(name, 0)) for name, amount in devices.items()}


def pool_name(resource: str, product: str) -> str:
    return f"{resource} {product}".strip()


def member_of(
    subject: Subject, namespace: str, replicas: Iterable[Replica], pools: Mapping[str, Pool], granted: int | None
) -> Member:
    """`granted` is the number that was decided last: what is on its way out because of it is given up already."""
    allowed = _allowed(subject, pools)
    held: dict[str, Counter[str]] = {}
    for replica in replicas:
        name = pool_name(subject.resource_name, replica.product)
        held.setdefault(name if name in allowed else allowed[0], Counter())[replica.tier] += 1
    surplus = max(0, sum(tiers[Tier.SERVING] for tiers in held.values()) - granted) if granted is not None else 0
    holdings = {}
    for pool, tiers in held.items():
        leaving = min(surplus, tiers[Tier.SERVING])
        surplus -= leaving
        holdings[pool] = Holding(
            serving=tiers[Tier.SERVING] - leaving,
            warm=tiers[Tier.WARM],
            asleep=tiers[Tier.ASLEEP],
            draining=tiers[Tier.DRAINING] + leaving,
        )
    return Member(subject.devices_each, allowed, subject.priority, namespace, holdings)


def _allowed(subject: Subject, pools: Mapping[str, Pool]) -> tuple[str, ...]:
    """The pools where its pods may run; the endless one where there is no other, or where it needs no device."""
    if subject.devices_each == 0 or len(pools) == 1:
        return (ELASTIC,)
    if subject.products:
        names = [pool_name(subject.resource_name, product) for product in subject.products]
        return tuple(name for name in names if name in pools) or (ELASTIC,)
    own = sorted(name for name in pools if name.split(" ")[0] == subject.resource_name)
    return tuple(own) or (ELASTIC,)
