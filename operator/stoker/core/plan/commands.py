"""Whose agent takes orders, and how they are addressed."""

from stoker.core.plan.actions import Tell
from stoker.core.plan.snapshot import Pod, Snapshot
from stoker.core.pool.report import UNHEARD, Heard, Report, Verb


def report_of(pod: Pod, snapshot: Snapshot) -> Report | None:
    """None where nobody takes orders: no agent, no key, no address yet, or an agent that knows neither."""
    if snapshot.cluster.control_key is None or not (pod.agent_port and pod.ip):
        return None
    report = snapshot.reports.get(pod.identity.uid, UNHEARD)
    return None if report.heard is Heard.DEAF else report


def tell(pod: Pod, snapshot: Snapshot, verb: Verb) -> Tell:
    level = snapshot.live.deployment.spec.scaling.sleep_level
    return Tell(pod.identity, snapshot.name, pod.ip, pod.agent_port, pod.restarts, verb, level)
