"""From when on a new replica counts.

Readiness says that the model is loaded. Some faults show with the first requests only, so a new replica that takes
traffic stands for an old one when it has stayed ready for a while, and not before.
"""

from collections.abc import Iterable
from datetime import datetime

from stoker.core.plan.replicas import Replica

# Routing finds a replica within about a second, and a busy model's first requests follow at once.
PROVING_SECONDS = 5


def unproven_seconds(replica: Replica, now: datetime) -> float:
    """Of a ready replica. A moment that nobody tells is taken for long ago: a rollout must not stop for it."""
    since = replica.leader.ready_since if replica.leader else None
    return PROVING_SECONDS - (now - since).total_seconds() if since else 0.0


def proven(replicas: Iterable[Replica], now: datetime) -> int:
    return sum(replica.ready and unproven_seconds(replica, now) <= 0 for replica in replicas)
