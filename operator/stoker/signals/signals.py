"""What the live loop asks: the load of any replica, and why it is not known."""

import asyncio
import resource
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from stoker.core.scaling.observation import Reading
from stoker.signals.account import Account
from stoker.signals.engine_page import EngineAnswers
from stoker.signals.load_answer import AgentAnswers
from stoker.signals.polling.pace import Pace
from stoker.signals.polling.poller import Poller
from stoker.signals.polling.replica import Answers
from stoker.signals.prometheus.source import PrometheusSource
from stoker.signals.sighting import NEVER_SEEN, Record, Sighting
from stoker.signals.target import Source, Target

_NO_PROMETHEUS = (
    "No Prometheus is configured:"
    " set signals.prometheus.url in the operator's configuration, or scaling.source to Agent."
)


class Signals:
    """Follows replicas from every source. All times are those of `now`. Nothing but `run` waits."""

    def __init__(
        self,
        pace: Pace | None = None,
        prometheus: PrometheusSource | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._poller = Poller(_AnswersOf(), _within_limits(pace or Pace()), now)
        self._prometheus = prometheus
        self._targets: dict[str, Target] = {}

    def follow(self, targets: Iterable[Target]) -> None:
        """All replicas that are of interest; what is not among them any more is forgotten. A uid counts once."""
        self._targets = {target.uid: target for target in targets}
        asked = [target for target in self._targets.values() if target.source is not Source.PROMETHEUS]
        self._poller.follow(asked)
        if self._prometheus is not None:
            self._prometheus.follow(target for target in self._targets.values() if target.source is Source.PROMETHEUS)

    def reading(self, uid: str) -> Sighting:
        record = self._record(uid)
        return record.sighting(self._now()) if record else NEVER_SEEN

    def why(self, uid: str) -> str:
        """A sentence on a replica that is not known; empty on one that is."""
        record = self._record(uid)
        if record is None:
            return _NO_PROMETHEUS if uid in self._targets else "It is not followed."
        sighting = record.sighting(self._now())
        if sighting.reading is Reading.EXPIRED:
            cause = record.why or self._prometheus_says or ""
            return f"Its last load is {sighting.age_seconds or 0:.0f} s old. {cause}".rstrip()
        return record.why

    def blind_spot(self, uid: str) -> str:
        """Like `why`, without what changes from one moment to the next."""
        record = self._record(uid)
        if record is not None and record.sighting(self._now()).reading is Reading.EXPIRED and not record.why:
            return "Its last load is too old."
        return record.why if record else self.why(uid)

    def trouble(self) -> str | None:
        """What is wrong with the Prometheus that a model's load is read from."""
        return self._prometheus_says if self._prometheus else _NO_PROMETHEUS

    @property
    def _prometheus_says(self) -> str | None:
        return self._prometheus.why if self._prometheus else None

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._poller.run())
            if self._prometheus is not None:
                group.create_task(self._prometheus.run())

    def _record(self, uid: str) -> Record | None:
        target = self._targets.get(uid)
        if target is not None and target.source is Source.PROMETHEUS:
            return self._prometheus.record(uid) if self._prometheus else None
        return self._poller.record(uid) if target else None


class _AnswersOf:
    """Accounts are named anew in each start of the operator."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(4)
        self._made = 0

    def __call__(self, target: Target) -> Answers:
        if target.source is Source.AGENT:
            return AgentAnswers(target.pod)
        self._made += 1
        return EngineAnswers(target.engine, Account(f"{self._start}-{self._made}"))


def _within_limits(pace: Pace) -> Pace:
    """Half of the files that this process may open is for the API server and all else."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return pace
    return replace(pace, most_kept=min(pace.most_kept, most // 2), most_asked=min(pace.most_asked, max(16, most // 4)))
