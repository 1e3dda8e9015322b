"""How a pod leaves that was taken off traffic."""

from stoker.core.passed import seconds_since
from stoker.core.plan.actions import Tell
from stoker.core.plan.commands import report_of, tell
from stoker.core.plan.pod_template import OFF_TRAFFIC_SECONDS
from stoker.core.plan.snapshot import Pod, Snapshot
from stoker.core.pool.leaving import Leaver, farewell
from stoker.core.pool.report import Verb


def departing(pod: Pod, snapshot: Snapshot) -> tuple[float, tuple[Tell, ...]]:
    """Seconds until it should be looked at, zero if it may go now; and what its agent is told until then."""
    if pod.draining_since is None:
        return 0.0, ()
    gone_seconds = seconds_since(pod.draining_since, snapshot.now)
    leaver = Leaver(gone_seconds, pod.ready, report_of(pod, snapshot))
    grace_seconds = float(snapshot.live.deployment.spec.drain.grace_seconds)
    parting = farewell(leaver, float(OFF_TRAFFIC_SECONDS), grace_seconds)
    return parting.wait_seconds, (tell(pod, snapshot, Verb.DRAIN),) if parting.drain else ()
