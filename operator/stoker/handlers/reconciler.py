"""One look at one model: read the picture, plan, act, say what was found."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from stoker.agents.orders import Model, Orders
from stoker.api.configuration import Configuration
from stoker.api.parsing import InvalidManifest, LiveObject, parse_live
from stoker.api.v1alpha1.reason import Reason
from stoker.api.v1alpha1.status import Status
from stoker.core.control_token import ControlKey
from stoker.core.engine import EngineProfile, Refusal
from stoker.core.names import FIELD_MANAGER
from stoker.core.plan.actions import Note, Tell
from stoker.core.plan.fetch.download import PROGRESS_SECONDS
from stoker.core.plan.fetch.jobs import Task
from stoker.core.plan.invalid import invalid_status, too_long
from stoker.core.plan.planner import plan
from stoker.core.plan.snapshot import Cluster, Progress, Snapshot
from stoker.core.plan.status_change import Change, change
from stoker.core.plan.weights import claims_named
from stoker.core.pool.replaced import Replaced
from stoker.core.pool.report import Report
from stoker.handlers.rollout_turns import RolloutTurns
from stoker.handlers.scaler import Scaler
from stoker.kube import resources
from stoker.kube.children import Children
from stoker.kube.connection import ApiError, ApiUnreachableError, Connection
from stoker.kube.events import post_event
from stoker.kube.executor import Executor, MovedOnError, NotLeadingError
from stoker.kube.freeze import Freeze
from stoker.kube.job_log import last_progress
from stoker.kube.memory import Memory
from stoker.kube.models import Models
from stoker.kube.resources import Key

logger = logging.getLogger(__name__)

# A refusal may be mended by others, without any event that would tell.
REFUSED_AGAIN_SECONDS = 30.0
# Until the watch has told what a write has just met.
MOVED_ON_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Setting:
    """What does not change while the process runs."""

    configuration: Configuration
    profiles: Mapping[str, EngineProfile]
    operator_version: str
    identity: str
    has_leader_worker_sets: bool | None
    control_key: ControlKey | None = None


@dataclass(frozen=True)
class Misunderstood:
    """An object that no plan can be made for, and what is said of it."""

    before: Status
    status: Status


@dataclass(frozen=True)
class Looked:
    """What came of one look."""

    again_seconds: float | None  # when to look again at the latest
    moved_on: bool = False  # the plan was out of date before it was carried out


class Reconciler:
    """`look` is what the work queue calls."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a look needs
        self,
        connection: Connection,
        models: Models,
        children: Children,
        setting: Setting,
        leads: Callable[[], bool],
        scaler: Scaler | None = None,
        orders: Orders | None = None,
        freeze: Freeze | None = None,
        replaced: Callable[[Key, Replaced], None] = lambda *_: None,
        wake: Callable[[Key], None] = lambda _: None,
    ) -> None:
        """`replaced` is told of each pod that was ended for another one; `wake` of a model to look at, since another
        one's rollout has ended."""
        self._turns = RolloutTurns(wake)
        self._replaced = replaced
        self._freeze = freeze
        self._scaler = scaler
        self._orders = orders
        self._connection = connection
        self._models = models
        self._children = children
        self._setting = setting
        self._leads = leads
        self._executor = Executor(connection, children, leads, self._tell)
        self._memories: dict[Key, Memory] = {}

    async def look(self, key: Key) -> Looked:
        manifest = self._models.get(key)
        if manifest is None:
            self._memories.pop(key, None)
            self._turns.forget(key)
            self._children.uses_claims(key, ())
            if self._orders:
                self._orders.forget_all_but(Model(*key), ())
            return Looked(None)
        self._turns.looks_at(key, manifest)
        if manifest["metadata"].get("deletionTimestamp"):
            return Looked(None)  # its children have owner references, so they go by themselves
        try:
            return Looked(await self._look(key, manifest))
        except MovedOnError as moved:
            logger.debug("%s: %s", key, moved)
            return Looked(MOVED_ON_AGAIN_SECONDS, moved_on=True)

    async def _look(self, key: Key, manifest: dict[str, Any]) -> float:
        """When to look again at the latest, in seconds."""
        memory = self._memories.setdefault(key, Memory())
        now = asyncio.get_running_loop().time()
        memory.at(manifest["metadata"].get("generation", 0), now)
        resync_seconds = float(self._setting.configuration.reconciling.resync_seconds)
        live = _understood(manifest)
        if isinstance(live, Misunderstood):
            await self._say(key, manifest, (live.before, live.status), (), memory)
            return resync_seconds
        memory.status_was_seen(key.name, live.deployment.status, now)
        progress = await self._progress(key)
        planned = plan(self._snapshot(key, live, memory, progress))
        self._turns.planned(key, planned)
        said_before = (memory.refused, memory.contests)
        try:
            await self._executor.execute(live.deployment.metadata.uid, planned.actions, memory, now)
        finally:
            while memory.replaced:
                self._replaced(key, memory.replaced.pop())
        if (memory.refused, memory.contests) != said_before:
            # What the API server answered belongs into the status at once.
            again = plan(self._snapshot(key, live, memory, progress))
            planned = replace(
                again, notes=(*planned.notes, *(note for note in again.notes if note not in planned.notes))
            )
        changes = (live.deployment.status, planned.status)
        wait_seconds = await self._say(key, manifest, changes, planned.notes, memory)
        if wait_seconds is None:
            self._turns.said(key, planned)
        waits = (wait_seconds, planned.look_again_seconds, REFUSED_AGAIN_SECONDS if memory.refused else None)
        return min([resync_seconds, *(seconds for seconds in waits if seconds is not None)])

    async def _progress(self, key: Key) -> Progress | None:
        """What a job that fetches said last. Its log is read, since nothing has to reach the job for that."""
        running = [
            job.identity.uid for job in self._children.jobs.of(key) if job.task == Task.FETCH and not job.ended_at
        ]
        for pod in self._children.pods.of(key):
            if pod.owner_uid in running and pod.phase == "Running":
                return await last_progress(self._connection, Key(key.namespace, pod.identity.name))
        return None

    def _tell(self, order: Tell) -> None:
        if self._orders:
            self._orders.give(order)

    def _reports(self, key: Key) -> Mapping[str, Report]:
        if self._orders is None:
            return {}
        pods = self._children.pods.of(key)
        self._orders.forget_all_but(Model(*key), pods)
        return self._orders.reports(Model(*key), pods)

    def _snapshot(self, key: Key, live: LiveObject, memory: Memory, progress: Progress | None) -> Snapshot:
        children, setting = self._children, self._setting
        names = claims_named(key.name, live.deployment.spec)
        children.uses_claims(key, names)
        claims = {name: claim for name in names if (claim := children.claim(Key(key.namespace, name)))}
        owned = {kind: found[0] for kind, of_kind in children.owned.items() if (found := of_kind.of(key))}
        return Snapshot(
            now=datetime.now(UTC),
            live=live,
            cluster=Cluster(
                setting.configuration,
                setting.profiles,
                setting.operator_version,
                children.nodes(),
                children.storage_classes(),
                setting.has_leader_worker_sets,
                setting.control_key,
                self._freeze.reason if self._freeze else "",
                self._scaler is not None,
                growing_classes=children.growing_classes(),
            ),
            replica_sets=children.replica_sets.of(key),
            groups=children.groups.of(key),
            pods=children.pods.of(key),
            revisions=children.revisions.of(key),
            owned=owned,
            claims=claims,
            jobs=children.jobs.of(key),
            progress=progress,
            troubles=tuple(children.troubles(key, names)),
            refused=memory.refused,
            contests=memory.contests,
            scaled=self._scaler.scaled(key) if self._scaler else None,
            in_flight=self._scaler.in_flight(key) if self._scaler else {},
            reports=self._reports(key),
            rolling_elsewhere=self._rolling_elsewhere(key),
        )

    def _rolling_elsewhere(self, key: Key) -> tuple[str, ...] | None:
        """Of no interest where nothing bounds it."""
        bound = self._setting.configuration.rollouts.models_at_once
        return () if bound is None else self._turns.elsewhere(key, len(self._models))

    async def _say(
        self,
        key: Key,
        manifest: Mapping[str, Any],
        changes: tuple[Status, Status],
        notes: tuple[Note, ...],
        memory: Memory,
    ) -> float | None:
        """Writes the status where it changed, then the Events. The seconds after which a routine change is due."""
        urgency = change(*changes)
        now = asyncio.get_running_loop().time()
        patience_seconds = {
            Change.ROUTINE: float(self._setting.configuration.reconciling.status_seconds),
            Change.PROGRESS: PROGRESS_SECONDS,
        }
        haste = Change.ROUTINE if memory.status_is_contested else urgency
        due_at = memory.status_written_at + patience_seconds.get(haste, 0.0)
        if now < due_at:
            return due_at - now
        if urgency is not Change.NONE:
            try:
                await self._write_status(key, manifest, changes[1])
            except (ApiError, ApiUnreachableError):
                memory.status_was_written(None)
                raise
            memory.status_was_written(changes[1])
            memory.status_written_at = now
        for note in notes:
            logger.info("%s: %s: %s", key, note.reason, note.message)
            await post_event(self._connection, manifest, note, self._setting.identity)
        return None

    async def _write_status(self, key: Key, manifest: Mapping[str, Any], status: Status) -> None:
        if not self._leads():
            raise NotLeadingError
        metadata = manifest["metadata"]
        fence = {field: metadata[field] for field in ("name", "namespace", "uid", "resourceVersion")}
        body = {
            "apiVersion": manifest["apiVersion"],
            "kind": manifest["kind"],
            "metadata": fence,
            "status": status.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        path = resources.MODEL_DEPLOYMENTS.path(key, "status")
        try:
            self._models.put(await self._connection.server_side_apply(path, body, query))
        except ApiError as refused:
            if refused.status in (404, 409):
                raise MovedOnError(str(refused)) from refused
            raise


def _understood(manifest: Mapping[str, Any]) -> LiveObject | Misunderstood:
    reason, message = Reason.NAME_TOO_LONG, too_long(manifest["metadata"]["name"])
    if message is None:
        try:
            return parse_live(manifest)
        except InvalidManifest as invalid:
            reason, message = Reason.INVALID_SPEC, str(invalid)
    try:
        before = Status.model_validate_json(json.dumps(manifest.get("status") or {}), strict=False, extra="ignore")
    except ValidationError:
        before = Status()
    return Misunderstood(before, invalid_status(manifest, before, Refusal(reason, message), datetime.now(UTC)))
