"""The constants of the policy. `headroom` is the one meant to be turned: it trades GPU time for latency."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    headroom: float = 1.0
    """Share of the learned capacity that decisions count on; lower buys latency with replicas."""

    rise_deviations: float = 3.0
    """How many standard deviations a short window must be above the long one before it is believed."""
    fall_deviations: float = 4.0
    dead_band_replicas: float = 0.15
    """Need is rounded up this much later on the way up, and this much earlier against going down."""

    virtual_wait_share: float = 1.0
    """Share of the TTFT objective that the virtual queue of a sufficient level may wait."""
    virtual_cap_leads: float = 0.25
    """A virtual queue forgets what lies more than this many lead times of work back."""

    drain_price: float = 1.0
    """GPU-seconds that a request served in time is worth, where a backlog is drained."""
    shortest_drain_seconds: float = 5.0
    longest_drain_seconds: float = 120.0

    hold_leads: float = 1.5
    """A level is kept for at least this many lead times after it was last needed."""
    longest_hold_seconds: float = 1800.0
    regret_seconds: float = 900.0
    """A level that is ordered again this soon after its removal is held twice as long from then on."""
    quiet_seconds: float = 3600.0
    """After so long without a regret the hold halves again."""

    down_every_seconds: float = 10.0
    down_share: float = 0.25
    """Most of the replicas that one step down may take; never less than one."""

    burst_memory_seconds: float = 3600.0
    burst_share: float = 0.1
    """Share of all requests that may arrive in bursts shorter than the cold start; 1 keeps no replicas for them."""

    stuck_seconds: float = 120.0
    """A replica with requests and no counter that moves for so long reports nothing that counts."""


DEFAULT = Tuning()
