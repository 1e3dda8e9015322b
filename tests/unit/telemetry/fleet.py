"""Models and replicas to tell of."""

from datetime import datetime, timedelta
from typing import Any

from stoker.core.names import Tier
from stoker.core.plan.snapshot import Identity, Pod, Scaled
from stoker.core.scaling.explain import Explanation
from stoker.telemetry.devices import Prices, held_by
from stoker.telemetry.meter import Meter
from stoker.telemetry.model_facts import ModelFacts, facts_of
from stoker.telemetry.model_series import ModelView, add_model
from stoker.telemetry.page import Page
from stoker_runtime.agent.options import Options
from stoker_runtime.agent.replica import Replica
from stoker_runtime.agent.running import replica_of
from stoker_runtime.agent.startup import Stage
from tests.unit.plan.builders import NOW, container, pod, replica_set

GPU = "nvidia.com/gpu"
H100 = "NVIDIA-H100-80GB-HBM3"
PRODUCTS = {"node-1": H100}
LABELS = {"owner": "example.com/owner", "cost_centre": "example.com/cost-centre"}
OWNER = replica_set("r1", 2)


def conditions(**reasons: tuple[str, str]) -> list[dict[str, str]]:
    healthy = {
        "Ready": ("True", "Serving"),
        "WeightsReady": ("True", "WeightsFound"),
        "FitsGPU": ("True", "Fits"),
        "Scheduled": ("True", "AllScheduled"),
        "Progressing": ("False", "Settled"),
        "ScalingActive": ("True", "FollowingLoad"),
        "ScalingLimited": ("False", "WithinLimits"),
        "UpdateAvailable": ("False", "UpToDate"),
        "Degraded": ("False", "NoProblem"),
        "Reconciling": ("False", "Settled"),
        "Stalled": ("False", "NoProblem"),
    }
    return [{"type": kind, "status": s, "reason": reason} for kind, (s, reason) in (healthy | reasons).items()]


def manifest(name: str, *stated: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "models", "annotations": {"example.com/owner": "search"}} | metadata,
        "spec": {
            "model": {"source": "pvc://w/llama"},
            "engine": {"name": "vllm"},
            "accelerator": {"resourceName": GPU, "count": 1},
            "replicas": 1,
            "scaling": {
                "maxReplicas": 8,
                "queueWaitMilliseconds": 1000,
                "objective": {"ttftMilliseconds": 2000, "itlMilliseconds": 100},
            },
        },
        "status": {
            "observedGeneration": 1,
            "conditions": list(stated) or conditions(),
            "desiredReplicas": 2,
            "weights": {"totalBytes": 16_000, "fetchedBytes": 16_000},
        },
    }


def facts(name: str, *stated: dict[str, str]) -> ModelFacts:
    return facts_of(manifest(name, *stated), LABELS)


def replica(name: str, tier: str = Tier.SERVING, **changes: Any) -> Pod:
    its = {"identity": Identity("models", name, f"uid-{name}", "1"), "tier": str(tier), "devices": ((GPU, 1),)}
    return pod(name, OWNER, **its | changes)


def starting(name: str, created: datetime, **changes: Any) -> Pod:
    return replica(name, created=created, ready=False, **{"containers": (), "node": ""} | changes)


def loading(name: str, created: datetime) -> Pod:
    return starting(name, created, node="node-1", containers=(container(started=False),))


def explanation(**changes: Any) -> Explanation:
    counts = (
        "before serving warm floor maximum ready starting pending warm_ready resting draining known saturated unknown"
        " stuck_replicas in_flight waiting by_rate by_queue by_backlog by_cache by_wait by_bursts by_hold held"
    )
    values: dict[str, Any] = dict.fromkeys(counts.split(), 1) | {"unknown": 0, "saturated": 0}
    values |= dict.fromkeys(("confidence", "hold_seconds", "backlog", "stuck_backlog"), 0.5)
    values |= {"imbalance": None, "rate_window_seconds": 10.0, "drain_seconds": None, "reasons": ("Rate",)}
    values |= {"rate_per_second": 3.0, "n_star": 8.0, "capacity_per_second": 2.0, "lead_seconds": 40.0}
    return Explanation(**values | {"projected_backlog": 0.0} | changes)


def view(
    name: str, pods: tuple[Pod, ...], meter: Meter[str], its: ModelFacts, e: Explanation | None = None
) -> ModelView:
    scaled: Any = Scaled(2, 1, active=True, reason="FollowingLoad", message="") if e else None  # type: ignore[arg-type]
    return ModelView("models", name, its, pods, meter.account(name), scaled, e)


def lived(meter: Meter[str], name: str, pods: tuple[Pod, ...]) -> None:
    """An hour, in which a replica was started in all its stages and a decision was taken up and down."""
    born = NOW - timedelta(seconds=1)
    for second, young in enumerate((starting("new", born), loading("new", born), replica("new", created=born))):
        meter.watch(name, [young], NOW, float(second))
    meter.watch(name, pods, NOW, 4.0)
    meter.decided(name, explanation(before=1, serving=2, reasons=("Rate", "Backlog")))
    meter.decided(name, explanation(before=2, serving=1, reasons=("Step",)))
    held = list(held_by(pods, GPU, PRODUCTS, {"uid-b": 0}.get))
    meter.hold(name, held, 0.0)
    meter.hold(name, held, 3600.0)


def whole_fleet(models: int, replicas_each: int) -> Page:
    """Every model with all of its tiers, start-ups and decisions."""
    meter: Meter[str] = Meter(Prices({H100: 2.0}))
    page = Page()
    for number in range(models):
        name = f"model-{number}"
        tiers = (Tier.SERVING, Tier.SERVING, Tier.SERVING, Tier.WARM, Tier.DRAINING)
        pods = tuple(replica(f"{name}-{index}", tiers[index % 5]) for index in range(replicas_each))
        lived(meter, name, pods)
        add_model(page, view(name, pods, meter, facts(name), explanation()), PRODUCTS)
    return page


def agent(**tallied: int) -> Replica:
    """An agent that has answered requests."""
    made = replica_of(Options("vllm", ("x",)))
    made.start_up.stage_seconds |= dict.fromkeys(Stage, 3.0)
    tally = made.tally
    for name, value in {
        "in_flight": 3,
        "waiting": 1,
        "arrivals": 40,
        "output_tokens": 900,
        "prompt_tokens": 500,
    }.items():
        setattr(tally, name, tallied.get(name, value))
    for outcome in tally.ended:
        tally.ended[outcome] += 10
    tally.ttft.observe(0.2, 10)
    tally.itl.observe(0.02, 900)
    return made
