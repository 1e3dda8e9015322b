"""Never two leaders at once, and one again soon, whatever happens to candidates, clocks and the API server."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoker.kube.connection import ApiError, ApiUnreachableError, Json
from stoker.kube.leadership import Election, Leadership, LeadershipLostError, LeaseServer, Tenure
from stoker.kube.lease import ElectionSettings, explained, new_identity
from tests.virtual_time import run_in_virtual_time

PATH = "/apis/coordination.k8s.io/v1/namespaces/stoker/leases/operator"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OURS = ElectionSettings("stoker", "operator", "a")
QUICK = ElectionSettings(
    "stoker", "operator", "a",
    lease_seconds=3, renew_deadline_seconds=2.0, retry_seconds=0.1, request_timeout_seconds=0.5,
)  # fmt: skip


class LeaseTable:
    """What the API server does with one Lease, in no time. Safe to use from several threads."""

    def __init__(self, spec: Mapping[str, Any] | None = None, labels: Mapping[str, str] | None = None) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self.stored: Json | None = None
        self.asked: list[str] = []
        if spec is not None:
            self._store({"metadata": {"name": "operator", "labels": dict(labels or {})}, "spec": dict(spec)})

    @property
    def spec(self) -> Json:
        assert self.stored is not None
        spec: Json = self.stored["spec"]
        return spec

    def change(self, **spec: Any) -> None:
        """Somebody else writes."""
        with self._lock:
            assert self.stored is not None
            self._store({**self.stored, "spec": {**self.stored["spec"], **spec}})

    def ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        assert path == (PATH.rpartition("/")[0] if verb == "POST" else PATH)
        with self._lock:
            self.asked.append(verb)
            if verb == "POST":
                if self.stored is not None:
                    raise ApiError(409, "AlreadyExists", "as the real one says")
            elif self.stored is None:
                raise ApiError(404, "NotFound", "as the real one says")
            if verb == "GET":
                return deepcopy(self.stored or {})
            assert body is not None
            if self.stored and body["metadata"].get("resourceVersion") != self.stored["metadata"]["resourceVersion"]:
                raise ApiError(409, "Conflict", "as the real one says")
            return self._store(body)

    def _store(self, body: Mapping[str, Any]) -> Json:
        self._version += 1
        self.stored = deepcopy({**body, "metadata": {**body["metadata"], "resourceVersion": str(self._version)}})
        return deepcopy(self.stored)


@dataclass(frozen=True)
class Trip:
    """What becomes of one request. A `frozen` candidate gets neither time-out nor answer before the end of the trip."""

    there_seconds: float = 0.01
    back_seconds: float = 0.01
    fate: Literal["answered", "refused", "lost"] = "answered"
    frozen: bool = False


SMOOTH, HANGS = Trip(), Trip(there_seconds=1e9)
NO_ANSWER = Trip(back_seconds=1e9)
BUSY = Trip(fate="refused")


class Line:
    """One candidate's way to the table. Whoever stops waiting does not stop what is on its way."""

    def __init__(self, table: LeaseTable, trips: list[Trip] | None = None, refusal: ApiError | None = None) -> None:
        self._table = table
        self.trips = [] if trips is None else trips
        self.then = SMOOTH
        self.refusal = refusal or ApiError(503, "ServiceUnavailable", "as scripted")
        self.asked: list[tuple[float, str]] = []
        self.dead = False
        self._landings: set[asyncio.Future[Json]] = set()

    async def get(self, path: str) -> Json:
        return await self._ask("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        return await self._ask("POST", path, body)

    async def put(self, path: str, body: Mapping[str, Any]) -> Json:
        return await self._ask("PUT", path, body)

    async def _ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        trip = self.trips.pop(0) if self.trips else self.then
        self.asked.append((asyncio.get_running_loop().time(), verb))
        landing = asyncio.ensure_future(self._travel(trip, verb, path, deepcopy(body)))
        self._landings.add(landing)
        landing.add_done_callback(self._forget)
        while trip.frozen and not landing.done():
            try:
                await asyncio.shield(landing)
            except asyncio.CancelledError:
                if self.dead:
                    raise
            except (ApiError, ApiUnreachableError):
                break
        return await asyncio.shield(landing)

    async def _travel(self, trip: Trip, verb: str, path: str, body: Mapping[str, Any] | None) -> Json:
        await asyncio.sleep(trip.there_seconds)
        if trip.fate == "lost":
            await asyncio.sleep(trip.back_seconds)
            raise ApiUnreachableError("as scripted")
        if trip.fate == "refused":
            raise self.refusal
        try:
            return self._table.ask(verb, path, body)
        finally:
            await asyncio.sleep(trip.back_seconds)

    def _forget(self, landing: asyncio.Future[Json]) -> None:
        self._landings.discard(landing)
        if not landing.cancelled():
            landing.exception()


class Candidate:
    """One candidacy in virtual time, with clocks of its own."""

    def __init__(
        self,
        table: LeaseTable,
        identity: str = "a",
        *,
        line: Line | None = None,
        clock_rate: float = 1.0,
        clock_offset: float = 0.0,
        wall_hours: float = 0.0,
    ) -> None:
        loop = asyncio.get_running_loop()

        def clock() -> float:
            return clock_offset + clock_rate * loop.time()

        def wall() -> datetime:
            return NOON + timedelta(hours=wall_hours, seconds=loop.time())

        self.line = line or Line(table)
        self.tenure = Tenure(clock)
        self.election = Election(replace(OURS, identity=identity), self.line, self.tenure, clock, wall)
        self.task = asyncio.create_task(self.election.run())

    async def until(self, held: bool = True) -> float:
        """When it came to that."""
        while self.tenure.held() is not held:  # noqa: ASYNC110 - it may end by time alone
            await asyncio.sleep(0.01)
        return asyncio.get_running_loop().time()

    async def killed(self) -> None:
        self.line.dead = True
        self.task.cancel()
        await asyncio.wait({self.task})

    async def leaves(self) -> None:
        self.tenure.end("it leaves")
        await self.killed()
        await self.election.release()


def played(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_in_virtual_time(play())


def now() -> float:
    return asyncio.get_running_loop().time()


def held_by(identity: str, hours_wrong: float = 0.0, **more: Any) -> Json:
    renewed = (NOON + timedelta(hours=hours_wrong)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"holderIdentity": identity, "leaseDurationSeconds": 15, "renewTime": renewed, "leaseTransitions": 3, **more}


# Taking


def test_a_lease_that_does_not_exist_is_created() -> None:
    async def play() -> None:
        table = LeaseTable()
        assert await Candidate(table).until() < 0.1
        assert table.stored is not None
        assert table.stored["metadata"] | {"resourceVersion": ""} == {
            "namespace": "stoker", "name": "operator", "resourceVersion": ""
        }  # fmt: skip
        assert table.spec == {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-01-01T12:00:00.020000Z",
            "renewTime": "2026-01-01T12:00:00.020000Z",
            "leaseTransitions": 0,
        }

    played(play)


@pytest.mark.parametrize("hours_wrong", [-1000.0, -5.0, 0.0, 5.0, 1000.0])
def test_a_lease_is_taken_over_when_it_has_not_changed_for_its_duration_whatever_the_clocks_say(
    hours_wrong: float,
) -> None:
    async def play() -> None:
        table = LeaseTable(held_by("dead", hours_wrong))
        assert await Candidate(table).until() == pytest.approx(15.05, abs=0.05)
        assert table.spec["holderIdentity"] == "a"
        assert table.spec["leaseTransitions"] == 4

    played(play)


def test_the_holders_own_lease_duration_counts() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("dead", leaseDurationSeconds=40))
        assert await Candidate(table).until() == pytest.approx(40.05, abs=0.05)

    played(play)


def test_a_lease_without_a_duration_is_waited_for_as_long_as_ours() -> None:
    async def play() -> None:
        table = LeaseTable({"holderIdentity": "dead"})
        assert await Candidate(table).until() == pytest.approx(15.05, abs=0.05)
        assert table.spec["leaseTransitions"] == 1

    played(play)


def test_a_lease_that_is_renewed_just_in_time_is_never_taken() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("alive"))
        candidate = Candidate(table)
        for turn in range(100):
            await asyncio.sleep(14.9)
            table.change(renewTime=f"turn {turn}")
        assert not candidate.tenure.held()
        assert set(table.asked) == {"GET"}

    played(play)


def test_a_lease_whose_time_stands_still_is_not_taken_while_it_is_written() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("alive"))
        candidate = Candidate(table)
        for _ in range(20):
            await asyncio.sleep(14)
            table.change()
        assert not candidate.tenure.held()

    played(play)


def test_a_standby_only_reads_the_lease_and_no_more_often_than_told() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("alive", leaseDurationSeconds=3600))
        candidate = Candidate(table)
        await asyncio.sleep(300)
        times = [at for at, verb in candidate.line.asked if verb == "GET"]
        assert len(times) == len(candidate.line.asked)
        waits = [after - before for before, after in pairwise(times)]
        assert min(waits) >= 1.0
        assert max(waits) <= 2.1
        assert len({round(wait, 3) for wait in waits}) > len(waits) / 2, "standbys ask in step"

    played(play)


def test_of_many_candidates_one_leads() -> None:
    async def play() -> None:
        table = LeaseTable()
        candidates = [Candidate(table, f"c{index}") for index in range(10)]
        await asyncio.sleep(60)
        leaders = [candidate for candidate in candidates if candidate.tenure.held()]
        assert len(leaders) == 1
        assert table.spec["leaseTransitions"] == 0

    played(play)


def test_whoever_is_overtaken_between_looking_and_taking_stands_by() -> None:
    async def play() -> None:
        table = LeaseTable(held_by(""))
        slow = Candidate(table, line=Line(table, [SMOOTH, Trip(there_seconds=1)]))
        await asyncio.sleep(0.5)
        table.change(holderIdentity="faster")
        await asyncio.sleep(10)
        assert not slow.tenure.held()
        assert table.spec["holderIdentity"] == "faster"

    played(play)


@pytest.mark.parametrize("before", [None, held_by("")])
def test_a_lease_that_was_taken_without_an_answer_is_recognised_as_ours(before: Json | None) -> None:
    async def play() -> None:
        table = LeaseTable(before)
        assert await Candidate(table, line=Line(table, [SMOOTH, NO_ANSWER])).until() < 6
        assert table.spec["leaseTransitions"] == (4 if before else 0)

    played(play)


@pytest.mark.parametrize(
    "trips",
    [
        [SMOOTH, Trip(back_seconds=30, frozen=True)],
        [SMOOTH, NO_ANSWER, Trip(back_seconds=30, frozen=True)],
    ],
)
def test_an_answer_that_is_read_after_a_long_pause_is_not_taken_for_news(trips: list[Trip]) -> None:
    async def play() -> None:
        table = LeaseTable()
        paused = Candidate(table, "paused", line=Line(table, list(trips)))
        await asyncio.sleep(1)
        other = Candidate(table, "other")
        await other.until()
        while now() < 60:
            assert not paused.tenure.held()
            await asyncio.sleep(0.01)
        assert other.tenure.held()

    played(play)


def test_a_lease_that_is_deleted_is_not_created_anew_before_its_holder_must_know() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("alive"))
        candidate = Candidate(table)
        await asyncio.sleep(10)
        table.stored = None
        assert await candidate.until() == pytest.approx(15.05, abs=0.05)

    played(play)


def test_other_fields_of_the_lease_stay() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("", strategy="x"), labels={"kept": "yes"})
        candidate = Candidate(table)
        await candidate.until()
        await asyncio.sleep(5)
        await candidate.leaves()
        assert table.stored is not None
        assert table.stored["metadata"]["labels"] == {"kept": "yes"}
        assert table.spec["strategy"] == "x"

    played(play)


def test_an_answer_without_a_version_is_not_taken_for_a_lease(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        table = LeaseTable()
        table.stored = {"metadata": {"name": "operator"}, "spec": {}}
        candidate = Candidate(table)
        await asyncio.sleep(10)
        assert not candidate.tenure.held()
        assert set(table.asked) == {"GET"}

    played(play)
    assert "the answer is no Lease" in caplog.text


# Keeping and losing


def test_a_leader_renews_as_often_as_told_and_changes_nothing_else() -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        before = table.spec
        await asyncio.sleep(100)
        assert [verb for _, verb in candidate.line.asked] == ["GET", "POST", *["PUT"] * 50]
        assert table.spec["renewTime"] == "2026-01-01T12:01:38.040000Z"
        assert table.spec | {"renewTime": ""} == before | {"renewTime": ""}

    played(play)


@pytest.mark.parametrize("trouble", [HANGS, NO_ANSWER, BUSY, Trip(fate="lost"), Trip(back_seconds=1000, frozen=True)])
def test_leadership_ends_at_the_deadline_whatever_hinders_the_renewals(trouble: Trip) -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        await asyncio.sleep(20)
        candidate.line.then = trouble
        last_renewal = max(at for at, _ in candidate.line.asked)
        assert await candidate.until(held=False) == pytest.approx(last_renewal + 10, abs=0.02)
        await asyncio.sleep(0.1)
        assert candidate.task.done() is not trouble.frozen, "the main loop is told in time"
        candidate.line.then = SMOOTH
        await asyncio.sleep(2000)
        assert not candidate.tenure.held()
        assert candidate.task.done()

    played(play)


def test_a_leader_survives_failures_that_are_shorter_than_the_deadline() -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        for trouble, times in ((BUSY, 3), (HANGS, 2), (NO_ANSWER, 2), (Trip(fate="lost"), 3)):
            candidate.line.trips = [trouble] * times
            await asyncio.sleep(20)
            assert not candidate.line.trips
            assert candidate.tenure.held()

    played(play)


@pytest.mark.parametrize(
    ("holder", "why"), [("b", "b took the lease"), ("", "somebody emptied the lease"), (None, "the lease was deleted")]
)
def test_leadership_ends_as_soon_as_the_lease_does_not_name_the_leader(holder: str | None, why: str) -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        began = await candidate.until()
        if holder is None:
            table.stored = None
        else:
            table.change(holderIdentity=holder)
        assert await candidate.until(held=False) <= began + 2.1
        assert candidate.tenure.over == why
        await asyncio.sleep(5)
        assert table.stored is None or table.spec["holderIdentity"] == holder

    played(play)


def test_a_leader_renews_what_somebody_else_labelled() -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        for _ in range(20):
            await asyncio.sleep(3)
            table.change(strategy="x")
        assert candidate.tenure.held()

    played(play)


def test_a_tenure_that_ran_out_is_not_brought_back_by_a_late_answer() -> None:
    time_now = [0.0]
    tenure = Tenure(lambda: time_now[0])
    assert not tenure.held()
    assert tenure.extend(10.0)
    time_now[0] = 10.0
    assert not tenure.extend(12.0)
    assert not tenure.held()
    assert tenure.over == "the lease could not be renewed in time"


def test_a_first_answer_that_comes_too_late_begins_no_tenure_but_the_next_may() -> None:
    time_now = [20.0]
    tenure = Tenure(lambda: time_now[0])
    assert not tenure.extend(15.0)
    assert tenure.over is None
    assert tenure.extend(30.0)


# Releasing


def test_another_leads_within_the_retry_time_after_a_release() -> None:
    async def play() -> None:
        table = LeaseTable()
        first = Candidate(table, "a")
        await first.until()
        second = Candidate(table, "b")
        await asyncio.sleep(33)
        await first.leaves()
        left = now()
        assert table.spec["holderIdentity"] == ""
        assert table.spec["leaseDurationSeconds"] == 1
        assert await second.until() <= left + 2.1
        assert table.spec["leaseDurationSeconds"] == 15
        assert table.spec["leaseTransitions"] == 1

    played(play)


def test_another_leads_after_lease_and_retry_time_when_the_leader_is_killed() -> None:
    async def play() -> None:
        table = LeaseTable()
        first = Candidate(table, "a")
        await first.until()
        second = Candidate(table, "b")
        await asyncio.sleep(33)
        await first.killed()
        killed = now()
        assert killed + 11 < await second.until() <= killed + 17.1

    played(play)


def test_what_somebody_else_holds_is_not_released() -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        table.change(holderIdentity="b")
        await candidate.leaves()
        assert table.spec["holderIdentity"] == "b"

    played(play)


def test_a_renewal_that_arrives_while_the_lease_is_released_does_not_undo_that() -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        # The renewal arrives between the look and the release.
        candidate.line.trips = [Trip(there_seconds=0.5), Trip(back_seconds=0.7)]
        await asyncio.sleep(2.1)
        assert not candidate.line.trips[1:]
        await candidate.leaves()
        await asyncio.sleep(10)
        assert table.spec["holderIdentity"] == ""

    played(play)


def test_a_standby_that_never_reached_for_the_lease_leaves_without_asking() -> None:
    async def play() -> None:
        table = LeaseTable(held_by("alive"))
        candidate = Candidate(table)
        await asyncio.sleep(5)
        before = len(candidate.line.asked)
        await candidate.leaves()
        assert len(candidate.line.asked) == before

    played(play)


def test_a_release_without_an_answer_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        await candidate.until()
        candidate.line.then = HANGS
        began = now()
        await candidate.leaves()
        assert now() - began <= 6

    played(play)
    assert "cannot release the lease, so another leads only 15 s after its last renewal" in caplog.text


# What is told


def test_each_change_of_state_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        table = LeaseTable(held_by("dead"))
        candidate = Candidate(table)
        await candidate.until()
        await asyncio.sleep(100)
        candidate.line.trips = [BUSY] * 3
        await asyncio.sleep(100)
        candidate.line.then = BUSY
        await asyncio.sleep(100)

    with caplog.at_level(logging.INFO, "stoker.kube.leadership"):
        played(play)
    busy = "cannot update lease stoker/operator: 503 ServiceUnavailable: as scripted"
    assert caplog.messages == [
        "a stands by: dead leads",
        "a leads: dead has not renewed the lease for 15 s",
        f"a leads, but {busy}",
        "a leads: the lease is renewed again",
        f"a leads, but {busy}",
        "a leads no more: the lease could not be renewed in time",
    ]


@pytest.mark.parametrize(
    ("refusal", "trips", "expected"),
    [
        (
            ApiError(403, "Forbidden", "no"),
            [BUSY],
            "verbs [get, create, update]: get is missing",
        ),
        (ApiError(403, "Forbidden", "no"), [SMOOTH, BUSY], "create is missing"),
        (
            ApiError(403, "Forbidden", "namespace stoker is being terminated"),
            [SMOOTH, BUSY],
            "403 Forbidden: namespace stoker is being terminated",
        ),
        (
            ApiError(404, "NotFound", 'namespaces "stoker" not found'),
            [SMOOTH, BUSY],
            'namespaces "stoker" not found. Create namespace stoker, or configure another one for the lease',
        ),
        (ApiError(401, "Unauthorized", "no"), [BUSY], "The credentials have ended or are not of this cluster"),
        (ApiError(500, "InternalError", "no"), [BUSY], "cannot get lease stoker/operator: 500 InternalError: no"),
    ],
)
def test_a_refusal_says_what_to_do_and_the_candidate_keeps_trying(
    refusal: ApiError, trips: list[Trip], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> None:
        table = LeaseTable()
        assert await Candidate(table, line=Line(table, list(trips), refusal)).until() <= 2.5

    played(play)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told.startswith("a stands by: ")
    assert told.endswith(expected)


def test_a_refusal_by_rbac_names_the_whole_rule() -> None:
    assert explained(OURS, "update", ApiError(403, "Forbidden", "no")) == (
        "cannot update lease stoker/operator: 403 Forbidden: no. The service account needs a Role in namespace stoker "
        "with apiGroups [coordination.k8s.io], resources [leases], verbs [get, create, update]: update is missing"
    )


def test_an_api_server_that_is_away_for_long_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def play() -> None:
        table = LeaseTable()
        candidate = Candidate(table)
        candidate.line.then = HANGS
        await asyncio.sleep(600)
        candidate.line.then = SMOOTH
        assert await candidate.until() <= 606

    played(play)
    (told,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == "a stands by: cannot get lease stoker/operator: no answer in 3.0 s"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"identity": ""}, "identity is empty"),
        ({"retry_seconds": 0.0}, "retry_seconds is 0: it must be above 0"),
        ({"retry_seconds": 10.0}, "retry_seconds is 10, renew_deadline_seconds is 10: make the deadline longer"),
        (
            {"renew_deadline_seconds": 12.0},
            "request_timeout_seconds is 3, lease_seconds minus renew_deadline_seconds is 3",
        ),
        ({"lease_seconds": 10}, "lease_seconds minus renew_deadline_seconds is 0: make the time-out shorter"),
    ],
)
def test_settings_that_cannot_keep_the_promise_are_refused(change: Mapping[str, Any], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        replace(OURS, **change)


def test_a_restarted_container_is_another_candidate() -> None:
    assert new_identity("pod-1") != new_identity("pod-1")
    assert new_identity("pod-1").startswith("pod-1_")


# Anything at all


@dataclass(frozen=True)
class Life:
    """The clocks of a machine, what happens to its requests, and when its process ends and another begins."""

    clock_rate: float
    clock_offset: float
    wall_hours: float
    trips: list[Trip]
    ends: list[tuple[float, bool]]


TRIPS = st.builds(
    Trip,
    there_seconds=st.sampled_from([0.01, 0.01, 0.3, 2.0, 4.0, 9.0, 30.0]),
    back_seconds=st.sampled_from([0.01, 0.01, 0.3, 2.0, 4.0, 9.0, 30.0]),
    fate=st.sampled_from(["answered", "answered", "answered", "refused", "lost"]),
    frozen=st.booleans(),
)
LIVES = st.builds(
    Life,
    clock_rate=st.floats(0.9, 1.1),
    clock_offset=st.floats(0, 1e6),
    wall_hours=st.floats(-10_000, 10_000),
    trips=st.lists(TRIPS | st.just(SMOOTH), max_size=25),
    ends=st.lists(st.tuples(st.floats(1, 40), st.booleans()), max_size=4),
)


@dataclass
class Machine:
    """Starts a new candidacy when one is over."""

    table: LeaseTable
    name: str
    life: Life
    candidate: Candidate | None = None
    trips: list[Trip] = field(init=False)
    ends: list[tuple[float, bool]] = field(init=False)

    def __post_init__(self) -> None:
        self.trips = list(self.life.trips)
        self.ends = list(self.life.ends)

    @property
    def in_trouble(self) -> bool:
        return bool(self.trips or self.ends)

    def held(self) -> bool:
        return self.candidate is not None and self.candidate.tenure.held()

    async def run(self) -> None:
        born = 0
        while True:
            born += 1
            self.candidate = candidate = Candidate(
                self.table,
                f"{self.name}-{born}",
                line=Line(self.table, self.trips),
                clock_rate=self.life.clock_rate,
                clock_offset=self.life.clock_offset,
                wall_hours=self.life.wall_hours,
            )
            seconds, graceful = self.ends[0] if self.ends else (None, True)
            await asyncio.wait({candidate.task}, timeout=seconds)
            self.candidate = None
            await (candidate.leaves() if graceful else candidate.killed())
            self.ends = self.ends[1:]
            await asyncio.sleep(0.5)


@settings(max_examples=150)
@given(st.lists(LIVES, min_size=2, max_size=4))
def test_never_two_lead_at_once_and_one_leads_again_when_the_trouble_is_over(lives: list[Life]) -> None:
    async def play() -> None:
        table = LeaseTable()
        machines = [Machine(table, f"m{index}", life) for index, life in enumerate(lives)]
        running = [asyncio.create_task(machine.run()) for machine in machines]
        quiet_seconds = 0.0
        while quiet_seconds < 120:
            leaders = [machine.name for machine in machines if machine.held()]
            assert len(leaders) <= 1, f"{leaders} lead at {now():.2f} s"
            await asyncio.sleep(0.25)
            quiet_seconds = 0.0 if any(machine.in_trouble for machine in machines) else quiet_seconds + 0.25
        assert len([machine for machine in machines if machine.held()]) == 1
        assert all(not task.done() for task in running)

    played(play)


# The thread


class Direct:
    """A way to the table that any thread may take, until it is blocked."""

    def __init__(self, table: LeaseTable) -> None:
        self._table = table
        self.stuck = threading.Event()
        self.freed = threading.Event()

    async def get(self, path: str) -> Json:
        return self._ask("GET", path)

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._ask("POST", path, body)

    async def put(self, path: str, body: Mapping[str, Any]) -> Json:
        return self._ask("PUT", path, body)

    def _ask(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        if self.stuck.is_set():
            # Not even its own event loop goes on.
            self.freed.wait(20)
        return self._table.ask(verb, path, body)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[LeaseServer]:
        yield self


async def in_time(waiting: Awaitable[Any]) -> Any:
    async with asyncio.timeout(10):
        return await waiting


async def test_a_main_loop_that_stalls_keeps_the_lease() -> None:
    table = LeaseTable()
    async with Leadership(QUICK, Direct(table).connected) as leadership:
        await in_time(leadership.wait_until_held())
        time.sleep(QUICK.lease_seconds + 0.5)  # noqa: ASYNC251 - that is the point
        assert leadership.held()
        assert table.asked.count("PUT") > 10


async def test_a_thread_that_is_stuck_leads_no_more_and_the_main_loop_is_told() -> None:
    direct = Direct(LeaseTable())
    async with Leadership(QUICK, direct.connected) as leadership:
        await in_time(leadership.wait_until_held())
        direct.stuck.set()
        began = time.monotonic()
        assert await in_time(leadership.wait_until_lost()) == "the lease could not be renewed in time"
        assert time.monotonic() - began < QUICK.renew_deadline_seconds + 0.5
        assert not leadership.held()
        direct.freed.set()
        await asyncio.sleep(0.3)
        assert not leadership.held()


async def test_both_waits_tell_the_main_loop_from_the_thread() -> None:
    table = LeaseTable(held_by("b"))
    async with Leadership(QUICK, Direct(table).connected) as leadership:
        lost = asyncio.create_task(leadership.wait_until_lost())
        table.change(holderIdentity="")
        await in_time(leadership.wait_until_held())
        assert leadership.held()
        assert not lost.done()
        table.change(holderIdentity="b")
        assert await in_time(lost) == "b took the lease"
        with pytest.raises(LeadershipLostError, match="b took the lease"):
            await leadership.wait_until_held()


async def test_leaving_the_block_releases_the_lease() -> None:
    table = LeaseTable()
    async with Leadership(QUICK, Direct(table).connected) as leadership:
        await in_time(leadership.wait_until_held())
        assert table.spec["holderIdentity"] == "a"
    assert table.spec["holderIdentity"] == ""
    assert not leadership.held()
    assert await leadership.wait_until_lost() == "this process exits"


async def test_leaving_the_block_at_once_leaves_no_lease_behind() -> None:
    table = LeaseTable()
    for _ in range(20):
        async with Leadership(QUICK, Direct(table).connected):
            pass
        assert table.stored is None or table.spec["holderIdentity"] == ""


async def test_the_lease_is_kept_from_others_until_the_main_loop_has_left_the_block() -> None:
    class Unsure(Direct):
        """Its leader cannot renew, and could release."""

        async def put(self, path: str, body: Mapping[str, Any]) -> Json:
            if body["spec"]["holderIdentity"]:
                raise ApiError(500, "InternalError", "as scripted")
            return await super().put(path, body)

    table = LeaseTable()
    async with Leadership(QUICK, Unsure(table).connected) as leadership:
        await in_time(leadership.wait_until_lost())
        await asyncio.sleep(0.5)
        assert table.spec["holderIdentity"] == "a"
    assert table.spec["holderIdentity"] == ""


async def test_credentials_that_cannot_be_loaded_end_it(caplog: pytest.LogCaptureFixture) -> None:
    def connected() -> AbstractAsyncContextManager[LeaseServer]:
        raise FileNotFoundError("no such token")

    async with Leadership(QUICK, connected) as leadership:
        with pytest.raises(LeadershipLostError, match="no such token"):
            await in_time(leadership.wait_until_held())
        assert not leadership.held()
    assert "the election failed" in caplog.text


async def test_no_thread_is_left_behind() -> None:
    async with Leadership(QUICK, Direct(LeaseTable()).connected) as leadership:
        await in_time(leadership.wait_until_held())
        assert "leadership" in {thread.name for thread in threading.enumerate()}
    for thread in threading.enumerate():
        if thread.name == "leadership":
            thread.join(5)
    assert "leadership" not in {thread.name for thread in threading.enumerate()}
