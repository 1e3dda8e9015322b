"""The constants of the policy. `headroom`, h, is the one meant to be turned: it trades GPU time for latency.

Above 1 replicas are filled beyond what keeps the objective. At 1, the default, they carry the load that there is and
what is expected of it. Below 1 the model stands ready for 1/h times its lasting load, and all that judges whether a
late request is worth a replica leans to the replica:

    share of a replica that serving counts on      max(0.9, h)
    share of requests that bursts may take         0.1·min(1, h)²
    share of the TTFT objective that they wait     √min(1, h)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    headroom: float = 1.0
    """Share of the learned capacity that the lasting load may use; lower buys latency with replicas."""
    least_serving_share: float = 0.9
    """The same of the load as it is now, however low `headroom` is: the rest stands ready, see surge."""

    rise_deviations: float = 3.0
    """How many standard deviations a short window must be above the long one before it is believed."""
    fall_deviations: float = 4.0
    trend_leads: float = 1.0
    """For how many lead times ahead a growth that lasts is drawn out; 0: none is."""
    trend_deviations: float = 1.0
    """How surely it must grow over the longest of the windows."""
    dead_band_replicas: float = 0.15
    """Need is rounded up this much later on the way up, and this much earlier against going down."""

    virtual_wait_share: float = 1.0
    """Share of the TTFT objective that the virtual queue of a sufficient level may wait."""
    wait_power: float = 0.5
    """Of the headroom, by which this falls."""
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
    burst_power: float = 2.0
    """Of the headroom, by which this falls."""

    aside_times: float = 2.0
    """Times the TTFT objective that a replica's queue must be worth before it stands aside."""

    stuck_seconds: float = 120.0
    """A replica with requests and no counter that moves for so long reports nothing that counts."""

    @property
    def serving_share(self) -> float:
        return max(self.least_serving_share, self.headroom)

    @property
    def wait_share(self) -> float:
        return self.virtual_wait_share * _power(self.headroom, self.wait_power)

    @property
    def late_burst_share(self) -> float:
        return self.burst_share * _power(self.headroom, self.burst_power)


def _power(headroom: float, power: float) -> float:
    return float(min(1.0, headroom) ** power)


DEFAULT = Tuning()
