"""Replicas that stand aside until their own queue is worked off.

Behind a plain Service every replica gets its share of what arrives. One that owes minutes of work from before the
others came makes all of its share late, and the others cannot help with what it holds. Off traffic it loses nothing.

    w_i = (F_i - n*) / μ                       what a request that comes to replica i now waits beyond n*
    begins     w_i > 2·θ (see tuning)          θ: the TTFT objective; the longest queue first
    as many as leave λ ≤ μ·(those in traffic)  and never without one in traffic that has no such queue
    ends       w_i ≤ 0                         from n* downwards it can begin a request at once
"""

from collections.abc import Collection, Sequence
from math import floor

from stoker.core.names import Tier
from stoker.core.scaling.capacity import Capacity
from stoker.core.scaling.observation import Load, Reading, Replica, Stage


def resting(
    replicas: Sequence[Replica],
    before: Collection[str],
    capacity: Capacity,
    rate_per_second: float,
    longest_wait_seconds: float,
) -> tuple[str, ...]:
    """The uids of those that stand aside now; `before`: of those that did."""
    ready = [replica for replica in replicas if replica.stage is Stage.READY]
    still = [replica.uid for replica in ready if replica.uid in before and _owes(replica, capacity)]
    waits = {
        replica.uid: _wait_seconds(replica.load, capacity)
        for replica in ready
        if replica.tier == Tier.SERVING and replica.reading is Reading.KNOWN and replica.uid not in still
    }
    flooded = [uid for uid, seconds in waits.items() if seconds > longest_wait_seconds]
    spare = floor(len(waits) - rate_per_second / capacity.likely_per_second)
    if spare <= 0 or len(flooded) == len(waits):
        return tuple(sorted(still))
    longest_first = sorted(flooded, key=lambda uid: (-waits[uid], uid))
    return tuple(sorted([*still, *longest_first[:spare]]))


def _owes(replica: Replica, capacity: Capacity) -> bool:
    """One that does not answer for a moment goes on with what it does."""
    if replica.tier not in (Tier.SERVING, Tier.WARM):
        return False
    return replica.reading is not Reading.KNOWN or _wait_seconds(replica.load, capacity) > 0.0


def _wait_seconds(load: Load | None, capacity: Capacity) -> float:
    return max(0.0, load.in_flight - capacity.n_star) / capacity.likely_per_second if load else 0.0
