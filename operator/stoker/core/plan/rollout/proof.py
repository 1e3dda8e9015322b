"""From when on a new replica counts.

Readiness says that the model is loaded. Some faults show with the first requests only, so a new replica that takes
traffic stands for an old one when it has stayed ready for a while, and not before.
"""

from collections.abc import Iterable
from datetime import datetime

from stoker.core.passed import seconds_since
from stoker.core.plan.replicas import Replica


def unproven_seconds(replica: Replica, proving_seconds: int, now: datetime) -> float:
    """Of a ready replica. A moment that nobody tells is taken for long ago: a rollout must not stop for it."""
    since = replica.leader.ready_since if replica.leader else None
    return proving_seconds - seconds_since(since, now) if since else 0.0


def proven(replicas: Iterable[Replica], proving_seconds: int, now: datetime) -> int:
    return sum(replica.ready and unproven_seconds(replica, proving_seconds, now) <= 0 for replica in replicas)
