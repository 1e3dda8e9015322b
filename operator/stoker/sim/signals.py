"""What a look at a replica gives: exact counts of its agent, and gauges that its engine set at its last step."""

from stoker.core.names import Tier
from stoker.core.scaling.observation import Load
from stoker.sim.pod import Pod


def look(pod: Pod, now: float) -> Load | None:
    """None where no process answers."""
    server = pod.server
    if server is None:
        return None
    steps = server.steps_until(now)
    decoding = server.running_gauge if steps else 0
    return Load(
        at_seconds=now,
        boot=f"{pod.uid}.{pod.boot}",
        in_flight=server.in_flight,
        waiting=server.unanswered,
        arrivals=server.arrivals,
        finished=server.finished,
        failed=server.failed,
        running=server.running_gauge,
        queued=server.waiting_gauge,
        kv_share=server.kv_share(now),
        preemptions=server.preemptions,
        prompt_tokens=server.prompt_tokens,
        output_tokens=server.output_tokens + decoding * steps,
        ttft_count=server.ttft_count,
        ttft_sum_seconds=server.ttft_seconds,
        itl_count=server.gap_count + decoding * steps,
        itl_sum_seconds=server.gap_seconds + decoding * server.run_seconds(steps),
        asleep=pod.tier is Tier.ASLEEP,
    )
