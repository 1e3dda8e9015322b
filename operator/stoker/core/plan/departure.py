"""How long a pod stays after it was taken off traffic."""

from datetime import datetime, timedelta

from stoker.core.plan.pod_template import OFF_TRAFFIC_SECONDS
from stoker.core.plan.snapshot import Pod


def seconds_left(pod: Pod, now: datetime) -> float:
    """What takes no traffic has nobody to wait for. Zero or less: it may go."""
    if pod.draining_since is None or not pod.ready:
        return 0.0
    return (pod.draining_since + timedelta(seconds=OFF_TRAFFIC_SECONDS) - now).total_seconds()
