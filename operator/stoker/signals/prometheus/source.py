"""The load of replicas by a Prometheus, asked round after round for the whole fleet.

A load is as old as the scrape that it is of, not as the answer. What was not scraped anew is not looked at anew. A pod
that an answer lacks is unknown, or saturated where its page was waited for in vain; where Prometheus itself does not
answer, the loads that are there grow old.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from stoker.signals.account import Account, Figures
from stoker.signals.prometheus.asking import Access, Asker, Threads
from stoker.signals.prometheus.names import OPTIONAL, Series, series_of
from stoker.signals.prometheus.queries import Labels, Queries
from stoker.signals.prometheus.vectors import Pod, Vector, vector_of
from stoker.signals.sighting import Record
from stoker.signals.target import Target
from stoker.signals.unreadable import UnreadableError

logger = logging.getLogger(__name__)

_PODS_AT_ONCE = 200
_GRACE_SECONDS = 1.0


@dataclass(frozen=True)
class PrometheusSettings:
    access: Access
    labels: Labels = field(default_factory=Labels)
    interval_seconds: float = 10.0
    timeout_seconds: float = 8.0
    """Of a whole round of queries."""
    stale_seconds: float = 90.0
    """A scrape that is older says nothing any more."""
    late_scrape_seconds: float = 5.0
    """A page that was waited for so long in vain is that of a replica that lives."""


@dataclass(frozen=True)
class Round:
    at_seconds: float | None
    scraped: dict[Pod, float]
    late: frozenset[Pod]
    figures: dict[str, dict[Pod, float]]
    warnings: tuple[str, ...]


class _Followed:
    __slots__ = ("account", "record", "scraped_at", "target")

    def __init__(self, target: Target, expire_seconds: float, account: Account) -> None:
        self.target = target
        self.record = Record(expire_seconds)
        self.account = account
        self.scraped_at = float("-inf")


@dataclass
class PrometheusSource:
    settings: PrometheusSettings
    now: Callable[[], float] = time.monotonic
    why: str | None = None
    """What was wrong with the last round; None: nothing."""
    _followed: dict[str, _Followed] = field(default_factory=dict, init=False)
    _threads: Threads = field(default_factory=Threads, init=False)
    _asker: Asker | None = field(default=None, init=False)
    _start: str = field(default_factory=lambda: secrets.token_hex(4), init=False)
    _made: int = field(default=0, init=False)

    def follow(self, targets: Iterable[Target]) -> None:
        after: dict[str, _Followed] = {}
        for target in targets:
            followed = self._followed.get(target.uid)
            if followed is None:
                self._made += 1
                account = Account(f"{self._start}-{self._made}")
                followed = _Followed(target, self.settings.stale_seconds, account)
            followed.target = target
            after[target.uid] = followed
        self._followed = after

    def record(self, uid: str) -> Record | None:
        followed = self._followed.get(uid)
        return followed.record if followed else None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            began = self.now()
            if self._followed:
                await self.look()
            await asyncio.sleep(max(0.5, self.settings.interval_seconds - (self.now() - began)))

    async def look(self) -> None:
        """One round."""
        queries = _queries(self.settings, {followed.target.engine for followed in self._followed.values()})
        try:
            asker = self._asker or Asker(self.settings.access)
        except ValueError as error:
            self._fail(f"Prometheus cannot be used: its address {self.settings.access.url} is none: {error}.")
            return
        began_seconds = self.now()
        self._asker = None  # where it is left behind, nobody else may use it
        try:
            found = await self._threads.run(
                lambda: ask(asker, queries, self.settings), self.settings.timeout_seconds + _GRACE_SECONDS
            )
        except TimeoutError:
            self._fail(f"Prometheus did not answer within {self.settings.timeout_seconds:g} s.")
            return
        except UnreadableError as error:
            self._asker = asker
            self._fail(f"Prometheus cannot be used: {error}.")
            return
        self._asker = asker
        self._succeed(found)
        await self._take(found, began_seconds)

    def _fail(self, why: str) -> None:
        logger.log(logging.WARNING if self.why is None else logging.DEBUG, "%s", why)
        self.why = why

    def _succeed(self, found: Round) -> None:
        if self.why is not None:
            logger.info("Prometheus answers again.")
        self.why = f"Prometheus' answer is partial: {found.warnings[0]}" if found.warnings else None

    async def _take(self, found: Round, asked_seconds: float) -> None:
        for index, followed in enumerate(list(self._followed.values())):
            _look_at(followed, found, asked_seconds)
            if index % _PODS_AT_ONCE == _PODS_AT_ONCE - 1:
                await asyncio.sleep(0)


def _queries(settings: PrometheusSettings, engines: set[str]) -> dict[str, str]:
    """The first says for which pods there is anything, and when it was scraped."""
    queries, series = Queries(settings.labels, settings.stale_seconds), series_of(engines)
    sources: list[Series] = [*series["in_flight"], *series.get("running", ())]
    texts = {"scraped_at": queries.scraped_at(sources), "late": queries.late_scrapes(settings.late_scrape_seconds)}
    for figure, names in series.items():
        texts[figure] = queries.value(names, highest=figure in ("kv_share", "asleep"))
    return texts


def ask(asker: Asker, queries: dict[str, str], settings: PrometheusSettings) -> Round:
    """All queries, for one instant. Raises UnreadableError."""
    asker.begin(settings.timeout_seconds)
    scraped = vector_of(asker.query(queries["scraped_at"], None), settings.labels)
    vectors: dict[str, Vector] = {"scraped_at": scraped}
    warnings: list[str] = []
    for name, text in queries.items():
        if name == "scraped_at" or (scraped.at_seconds is None and name != "late"):
            continue
        try:
            vectors[name] = vector_of(asker.query(text, scraped.at_seconds), settings.labels)
        except UnreadableError as error:
            if name not in OPTIONAL and name != "late":
                raise
            warnings.append(f"{name}: {error}")
    torn = [f"{name}: some of it cannot be read" for name, vector in vectors.items() if vector.is_partial]
    late = vectors.pop("late", None)
    del vectors["scraped_at"]
    figures = {name: vector.values for name, vector in vectors.items()}
    late_pods = frozenset(late.values) if late else frozenset()
    return Round(scraped.at_seconds, scraped.values, late_pods, figures, (*asker.warnings, *warnings, *torn))


def _look_at(followed: _Followed, found: Round, asked_seconds: float) -> None:
    pod = (followed.target.namespace, followed.target.pod)
    scraped_at = found.scraped.get(pod)
    if found.at_seconds is None or scraped_at is None:
        if pod in found.late:
            followed.record.late(asked_seconds, "Its metrics were waited for in vain.")
        else:
            followed.record.failed("Prometheus has no metrics of it.")
        return
    if scraped_at <= followed.scraped_at:
        return  # the same scrape again, or an older one by another Prometheus
    age_seconds = max(0.0, found.at_seconds - scraped_at)
    try:
        load = followed.account.load(_figures(found, pod), asked_seconds - age_seconds)
    except UnreadableError as error:
        followed.record.failed(f"What Prometheus has of it cannot be used: {error}.")
        return
    followed.scraped_at = scraped_at
    followed.record.known(load)


def _figures(found: Round, pod: Pod) -> Figures:
    said: dict[str, Any] = {}
    for name, values in found.figures.items():
        value = values.get(pod)
        if value is not None:
            said[name] = value if name.endswith(("_share", "_seconds")) else round(value)
    share = said.get("kv_share")
    if share is not None and share > 1:
        del said["kv_share"]
    return Figures(**said | {"asleep": bool(said.get("asleep"))})
