"""The live loop: every two seconds each model's load becomes a demand, and the demands share the accelerators.

It decides and remembers, and writes nothing: a model whose decision changed is looked at again, and the plan carries it
out. A model that nobody uses is thought of less often.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stoker.api.configuration import Configuration
from stoker.api.parsing import InvalidManifest, parse_live
from stoker.api.v1alpha1.modeldeployment import ModelDeployment
from stoker.api.v1alpha1.scaling import LoadSource, ScalingMode
from stoker.api.v1alpha1.status import ScalingStatus, Status
from stoker.core.follow.pools import products_in_sight, products_of
from stoker.core.follow.replicas import Moment, StageBook, replicas_of
from stoker.core.follow.rolling import rolling_of
from stoker.core.follow.subject import Subject, subject_of
from stoker.core.follow.verdict import Decision, Sight, verdict
from stoker.core.plan.snapshot import Node, Pod, Scaled
from stoker.core.scaling.blast import BLAST_WINDOW_SECONDS
from stoker.core.scaling.decide import demand
from stoker.core.scaling.demands import Demand
from stoker.core.scaling.explain import Explanation
from stoker.core.scaling.fleet import Grant, Lease
from stoker.core.scaling.memory import Memory
from stoker.core.scaling.observation import Load, Observation, Reading, Replica, Stage
from stoker.core.scaling.restart import Kept, recalled
from stoker.handlers.sharing import Party, Share, shared
from stoker.kube.children import Children
from stoker.kube.models import Models
from stoker.kube.observed import Reference
from stoker.kube.resources import Key
from stoker.kube.surroundings import Surroundings
from stoker.signals.signals import Signals
from stoker.signals.target import Source, Target

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
IDLE_TICK_SECONDS = 10.0
# A replica that was never asked says nothing yet; until it had the time to answer, nothing is said of its load.
FIRST_ANSWER_SECONDS = 10.0
# A status tells the latest load this often, where nothing else changed.
TELL_SECONDS = 30.0
_AT_ONCE = 50  # models between two turns of the event loop


@dataclass
class _Followed:
    """One model between two ticks."""

    version: int
    subject: Subject
    status: Status
    memory: Memory
    pods: tuple[Pod, ...] = ()
    replicas: tuple[Replica, ...] = ()
    demand: Demand | None = None
    decided: datetime | None = None
    scaled: Scaled | None = None
    since: float = 0.0
    lease: Lease | None = None
    due_at: float = 0.0
    told: Scaled | None = None
    told_at: float = float("-inf")

    def reference(self, key: Key) -> Reference | None:
        """Another tool's workload that it is about."""
        target = self.subject.target
        return Reference(target.kind, Key(key.namespace, target.name)) if target else None

    @property
    def acts(self) -> bool:
        return self.subject.mode is ScalingMode.AUTO


@dataclass
class _Removals:
    """Serving replicas that less load took away lately, over the fleet."""

    _past: deque[tuple[float, int]] = field(default_factory=deque)

    def add(self, now_seconds: float, count: int) -> None:
        self._past.append((now_seconds, count))

    def within_the_window(self, now_seconds: float) -> int:
        while self._past and self._past[0][0] <= now_seconds - BLAST_WINDOW_SECONDS:
            self._past.popleft()
        return sum(count for _, count in self._past)


class Scaler:
    """Runs while this process leads."""

    def __init__(  # noqa: PLR0913 - what decisions are made from, and whom they are told
        self,
        models: Models,
        children: Children,
        signals: Signals,
        configuration: Configuration,
        enqueue: Callable[[Key], None],
        *,
        surroundings: Surroundings | None = None,
        frozen: Callable[[], bool] = lambda: False,
        decided: Callable[[Key, Explanation], None] = lambda *_: None,
    ) -> None:
        """`decided` is told of each decision that changes a number, and of its inputs."""
        self._frozen = frozen
        self._surroundings = surroundings
        self._models = models
        self._children = children
        self._signals = signals
        self._configuration = configuration
        self._enqueue = enqueue
        self._decided = decided
        self._followed: dict[Key, _Followed] = {}
        self._passed_over: dict[Key, int] = {}  # the version of each model that needs no decision
        self._book = StageBook()
        self._removals = _Removals()

    def scaled(self, key: Key) -> Scaled | None:
        followed = self._followed.get(key)
        return followed.scaled if followed else None

    def explanation(self, key: Key) -> Explanation | None:
        """The inputs of the last decision; None: there was none."""
        followed = self._followed.get(key)
        return followed.demand.explanation if followed and followed.demand else None

    def in_flight(self, key: Key) -> Mapping[str, int]:
        """Requests of each replica, where they are known."""
        followed = self._followed.get(key)
        replicas = followed.replicas if followed else ()
        return {replica.uid: replica.load.in_flight for replica in replicas if replica.load}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        await self._children.wait_until_synced()
        while True:
            began = loop.time()
            try:
                await self.tick(Moment(datetime.now(UTC), began))
            except Exception:
                # Replicas go on serving, and numbers stay as they are; an operator that ended would do nothing at all.
                logger.exception("no decisions at this tick")
            await asyncio.sleep(max(0.1, TICK_SECONDS - (loop.time() - began)))

    async def tick(self, moment: Moment) -> None:
        nodes = self._children.nodes()
        cluster = _Cluster(nodes, products_of(nodes), products_in_sight(nodes))
        targets: list[Target] = []
        thought: list[Key] = []
        for number, key in enumerate(tuple(self._models)):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                followed = self._follow(key, moment)
                if followed is None:
                    self._followed.pop(key, None)
                    continue
                followed.pods = self._pods(key, followed)
                targets += self._targets(key, followed)
                if moment.seconds >= followed.due_at or followed.demand is None:
                    self._decide(followed, moment, cluster)
                thought.append(key)
            except Exception:
                # What is odd about one model must not keep the others from being scaled; its number stays.
                logger.exception("%s: no decision", key)
        for known in (self._followed, self._passed_over):
            for key in known.keys() - set(self._models):
                del known[key]
        self._book.forget_all_but(replica.uid for each in self._followed.values() for replica in each.replicas)
        self._signals.follow(targets)
        if self._surroundings:
            references = {found for key, each in self._followed.items() if (found := each.reference(key))}
            self._surroundings.observed.follow(references)
        self._share(thought, moment, nodes)

    def _pods(self, key: Key, followed: _Followed) -> tuple[Pod, ...]:
        reference = followed.reference(key)
        if reference is None:
            return self._children.pods.of(key)
        return self._surroundings.observed.pods(reference) if self._surroundings else ()

    def _targets(self, key: Key, followed: _Followed) -> Iterator[Target]:
        """Where each replica's load can be had. Without an agent, the engine's own metrics say what they can."""
        subject, model = followed.subject, str(key)
        busy = bool(followed.demand and followed.demand.explanation.in_flight)
        for pod in followed.pods:
            if not (pod.tier and pod.ip and pod.ready) or pod.deleting:
                continue
            source, port, path = Source.AGENT, pod.agent_port, "/load"
            if subject.source == LoadSource.PROMETHEUS:
                source = Source.PROMETHEUS
            elif not pod.agent_port:
                source, port, path = Source.ENGINE, pod.server_port, pod.metrics_path or "/metrics"
            name = pod.identity.name
            yield Target(
                pod.identity.uid, key.namespace, name, model, pod.ip, port, source, path, subject.engine, busy=busy
            )

    def _look(self, uid: str) -> tuple[Reading, Load | None]:
        sighting = self._signals.reading(uid)
        return sighting.reading, sighting.load

    def _follow(self, key: Key, moment: Moment) -> _Followed | None:
        """What is known of the model, taken from its object anew where that changed."""
        followed, version = self._followed.get(key), self._models.version(key)
        if followed and followed.version == version:
            return followed
        if self._passed_over.get(key) == version:
            return None
        deployment = _understood(self._models.get(key))
        subject = subject_of(deployment, self._configuration) if deployment else None
        if deployment is None or subject is None:
            self._passed_over[key] = version
            return None
        if followed is None:
            memory = _recalled(deployment.status, subject)
            followed = _Followed(version, subject, deployment.status, memory, since=moment.seconds)
            self._followed[key] = followed
        elif followed.subject != subject:
            followed.due_at = 0.0
        followed.version, followed.subject, followed.status = version, subject, deployment.status
        return followed

    def _decide(self, followed: _Followed, moment: Moment, cluster: "_Cluster") -> None:
        subject, status = followed.subject, followed.status
        replicas = tuple(replicas_of(followed.pods, moment, self._book, cluster.products, self._look))
        rolling = rolling_of({replica.revision for replica in replicas if replica.revision}, status)
        lead_seconds = followed.demand.lead_seconds if followed.demand else 0.0
        observation = Observation(
            now_seconds=moment.seconds,
            replicas=replicas,
            limits=subject.limits(moment.wall, lead_seconds, frozen=self._frozen(), rolling=rolling),
            aims=subject.aims,
            prior=subject.prior(cluster.in_sight.get(subject.resource_name, ())),
        )
        followed.replicas, followed.decided = replicas, moment.wall
        followed.demand, followed.memory = demand(observation, followed.memory, subject.tuning)
        explanation = followed.demand.explanation
        quiet = explanation.in_flight == 0 and not explanation.rate_per_second
        all_ready = all(replica.stage is Stage.READY for replica in replicas)
        settled = all_ready and explanation.serving == explanation.ready and explanation.unknown == 0
        followed.due_at = moment.seconds + (IDLE_TICK_SECONDS if quiet and settled else 0.0)

    def _too_early(self, key: Key, followed: _Followed, moment: Moment) -> bool:
        blind = followed.demand is None or followed.demand.explanation.unknown > 0 or bool(self._unseen(key, followed))
        return followed.scaled is None and blind and moment.seconds - followed.since < FIRST_ANSWER_SECONDS

    def _share(self, thought: list[Key], moment: Moment, nodes: tuple[Node, ...] | None) -> None:
        parties = {key: party for key in thought if (party := _party(self._followed[key]))}
        held = {pod.identity.uid for key in parties for pod in self._followed[key].pods if not pod.deleting}
        share = Share(moment.seconds, nodes, held, self._removals.within_the_window(moment.seconds))
        grants = shared(parties, share, self._surroundings, self._configuration.scaling)
        for key, party in parties.items():
            if not self._too_early(key, self._followed[key], moment):
                self._take(key, self._followed[key], party.demand, grants[key], moment)

    def _take(self, key: Key, followed: _Followed, demanded: Demand, grant: Grant, moment: Moment) -> None:
        before = followed.scaled
        # As of when it was decided: one that is not due again has decided nothing anew.
        decided, sight = followed.decided or moment.wall, self._sight(key, followed)
        decision = Decision(followed.subject, demanded, grant, followed.memory, decided, sight)
        kept: ScalingStatus | None = before.memory if before else followed.status.scaling
        scaled = verdict(decision, kept)
        followed.scaled, followed.lease = scaled, grant.lease
        if before and scaled.serving < before.serving and followed.acts:
            self._removals.add(moment.seconds, before.serving - scaled.serving)
        if before is None or _weighty(before) != _weighty(scaled):
            followed.told, followed.told_at = scaled, moment.seconds
            if before is None or (before.serving, before.warm) != (scaled.serving, scaled.warm):
                logger.info("%s: %s", key, demanded.explanation.as_json())
                self._decided(key, demanded.explanation)
            self._enqueue(key)
        elif followed.told != scaled and moment.seconds - followed.told_at >= TELL_SECONDS:
            followed.told, followed.told_at = scaled, moment.seconds
            self._enqueue(key)

    def _sight(self, key: Key, followed: _Followed) -> Sight:
        """What keeps the load from being seen."""
        source, spot = "", ""
        if followed.subject.source == LoadSource.PROMETHEUS:
            source = self._signals.trouble() or ""
        if followed.demand and followed.demand.explanation.unknown:
            spot = self._blind_spot(followed)
        return Sight(source, spot, self._unseen(key, followed))

    def _unseen(self, key: Key, followed: _Followed) -> str:
        """Why another tool's workload cannot be followed."""
        reference = followed.reference(key)
        return self._surroundings.observed.trouble(reference) if reference and self._surroundings else ""

    def _blind_spot(self, followed: _Followed) -> str:
        names = {pod.identity.uid: pod.identity.name for pod in followed.pods}
        for replica in followed.replicas:
            blind = replica.stage is Stage.READY and replica.reading in (Reading.UNKNOWN, Reading.EXPIRED)
            if blind and replica.uid in names:
                return f"Replica {names[replica.uid]}: {self._signals.blind_spot(replica.uid)}"
        return ""


@dataclass(frozen=True)
class _Cluster:
    """What is the same for all models at one tick."""

    nodes: tuple[Node, ...] | None
    products: Mapping[str, str]
    in_sight: Mapping[str, frozenset[str]]


def _party(followed: _Followed) -> Party | None:
    if followed.demand is None:
        return None
    granted = followed.scaled.serving if followed.scaled and followed.acts else None
    return Party(followed.subject, followed.demand, followed.replicas, granted, followed.lease, followed.acts)


def _understood(manifest: Mapping[str, Any] | None) -> ModelDeployment | None:
    """None where there is nothing left to scale, or nothing that can be read."""
    if manifest is None or manifest["metadata"].get("deletionTimestamp"):
        return None
    try:
        return parse_live(manifest).deployment
    except InvalidManifest:
        return None


def _weighty(scaled: Scaled) -> tuple[object, ...]:
    limit = scaled.limit.reason if scaled.limit else None
    return scaled.serving, scaled.warm, scaled.active, scaled.reason, limit, scaled.resting


def _recalled(status: Status, subject: Subject) -> Memory:
    """What an operator before this one decided and learned."""
    scaling = status.scaling
    if scaling is None:
        return Memory.empty()
    return recalled(Kept(status.desired_replicas or None, scaling.capacities, scaling.stages), subject.aims)
