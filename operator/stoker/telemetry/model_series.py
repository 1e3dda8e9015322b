"""From what is known of one model to its series. What is unknown has none."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from stoker.core.follow.replicas import stage_of
from stoker.core.names import Tier
from stoker.core.plan.replicas import FINISHED_PHASES
from stoker.core.plan.snapshot import Pod, Scaled
from stoker.core.scaling.explain import Explanation
from stoker.core.scaling.observation import Stage
from stoker.telemetry import catalogue
from stoker.telemetry.meter import Account
from stoker.telemetry.model_facts import ModelFacts
from stoker.telemetry.page import Page

STATES = (*(tier.value for tier in Tier), "starting")


@dataclass(frozen=True)
class ModelView:
    """One model at one moment."""

    namespace: str
    name: str
    facts: ModelFacts
    pods: tuple[Pod, ...]
    account: Account
    scaled: Scaled | None = None  # None: nothing follows its load
    explanation: Explanation | None = None


def add_model(page: Page, view: ModelView, products: Mapping[str, str]) -> None:
    """`products` names the GPU product of a node."""
    _add_facts(page, view)
    _add_replicas(page, view, products)
    if view.explanation:
        _add_decision(page, view, view.explanation)
    _add_account(page, view)


def _add_facts(page: Page, view: ModelView) -> None:
    facts, its = view.facts, (view.namespace, view.name)
    page.add_info(catalogue.MODEL_INFO, (*its, facts.engine, facts.served_name), facts.labels)
    for kind, reason, value in facts.conditions:
        page.add(catalogue.CONDITION, value, *its, kind, reason)
    page.add(catalogue.WANTED, view.scaled.serving if view.scaled else facts.wanted, *its, Tier.SERVING.value)
    if view.scaled:
        page.add(catalogue.WANTED, view.scaled.warm, *its, Tier.WARM.value)
    page.add(catalogue.FLOOR, facts.floor, *its)
    page.add(catalogue.LIMIT, facts.limit, *its)
    page.add(catalogue.QUEUE_OBJECTIVE, facts.queue_objective_seconds, *its)
    page.add(catalogue.TTFT_OBJECTIVE, facts.ttft_objective_seconds, *its)
    page.add(catalogue.ITL_OBJECTIVE, facts.itl_objective_seconds, *its)
    page.add(catalogue.WEIGHTS_BYTES, facts.weights_bytes, *its)
    page.add(catalogue.FETCHED_BYTES, facts.fetched_bytes, *its)


def _add_replicas(page: Page, view: ModelView, products: Mapping[str, str]) -> None:
    its = (view.namespace, view.name)
    leaders = [pod for pod in view.pods if pod.tier and pod.phase not in FINISHED_PHASES]
    counts = Counter(_state(pod) for pod in leaders)
    for state in STATES:
        page.add(catalogue.REPLICAS, counts[state], *its, state)
    for pod in leaders:
        product = products.get(pod.node, "")
        page.add(catalogue.REPLICA_INFO, 1, *its, pod.identity.name, pod.tier, pod.revision, pod.node, product)


def _state(pod: Pod) -> str:
    if pod.deleting:
        return Tier.DRAINING.value
    return pod.tier if pod.tier == Tier.DRAINING or stage_of(pod) is Stage.READY else "starting"


def _add_decision(page: Page, view: ModelView, e: Explanation) -> None:
    its = (view.namespace, view.name)
    for reading, count in (("known", e.known), ("saturated", e.saturated), ("unknown", e.unknown)):
        page.add(catalogue.SIGHT, count, *its, reading)
    if e.known:
        page.add(catalogue.IN_FLIGHT, e.in_flight, *its)
        page.add(catalogue.WAITING, e.waiting, *its)
    asked = {
        "rate": e.by_rate, "queue": e.by_queue, "backlog": e.by_backlog, "cache": e.by_cache, "wait": e.by_wait,
        "bursts": e.by_bursts, "held": e.held,
    }  # fmt: skip
    for by, count in asked.items():
        page.add(catalogue.ASKED, count, *its, by)
    page.add(catalogue.ARRIVALS, e.rate_per_second, *its)
    page.add(catalogue.CAPACITY, e.capacity_per_second, *its)
    page.add(catalogue.CONCURRENCY, e.n_star, *its)
    page.add(catalogue.CONFIDENCE, e.confidence, *its)
    page.add(catalogue.BACKLOG, e.projected_backlog, *its)
    page.add(catalogue.LEAD, e.lead_seconds, *its)


def _add_account(page: Page, view: ModelView) -> None:
    account, its = view.account, (view.namespace, view.name)
    held: Counter[tuple[str, str]] = Counter()
    for each in account.held:
        held[each.state, each.product] += each.devices
    for (state, product), seconds in account.seconds.items():
        page.add(catalogue.HELD, held[state, product], *its, state, product)
        page.add(catalogue.HELD_SECONDS, seconds, *its, state, product)
    for state, cost in account.cost.items():
        page.add(catalogue.COST, cost, *its, state)
    for (direction, reason), count in account.decisions.items():
        page.add(catalogue.DECISIONS, count, *its, direction, reason)
    for why, replicas in account.replaced.items():
        page.add(catalogue.REPLACED, replicas, *its, why)
    for stage, counted in account.startups.items():
        page.add_counted(catalogue.STARTUP, counted, *its, stage)
