"""What a policy sees, in few words."""

from stoker.core.names import Tier
from stoker.core.scaling.observation import Load, Reading, Replica, Stage
from stoker.sim.policy import View


def load(in_flight: int = 0, queued: int = 0, kv_share: float = 0.0) -> Load:
    return Load(
        at_seconds=0.0,
        boot="1",
        in_flight=in_flight,
        waiting=queued,
        arrivals=0,
        finished=0,
        running=in_flight - queued,
        queued=queued,
        kv_share=kv_share,
    )


def view(now: float, *loads: Load | None, starting: int = 0, held: int = 0, arrived: int = 0) -> View:
    """None is a ready replica of which nothing is known; prompts have 1,000 tokens and answers 200."""
    ready = [_replica(index, Stage.READY, one) for index, one in enumerate(loads)]
    coming = [_replica(len(loads) + index, Stage.LOADING, None) for index in range(starting)]
    return View(
        now_seconds=now,
        replicas=(*ready, *coming),
        current=len(loads) + starting,
        floor=1,
        maximum=40,
        warm=0,
        asleep=0,
        held=held,
        arrived=arrived,
        prompt_tokens=1_000 * arrived,
        output_tokens=200 * arrived,
    )


def _replica(index: int, stage: Stage, known: Load | None) -> Replica:
    reading = Reading.UNKNOWN if known is None else Reading.KNOWN
    return Replica(f"r{index}", "1", "l40s", Tier.SERVING, stage, 0.0, 0.0, reading, known)
